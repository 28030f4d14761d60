-- Cancels one job from outside: at once where nobody works on it, else by a flag that its worker sees when it renews.
--@ exports: cancel_job
--@ include: take_out cancel keys member

local OPEN = { waiting = true, delayed = true, children = true }

-- Returns the word (cancelled, requested, too late, gone or malformed), and whether its children are to be cancelled.
-- With `set_aside`, which takes what waits out of its list later, a place of another type is passed over.
local function cancel_job(job_flow, first_queue, job_id, why, set_aside)
  local key = job_key(job_flow, job_id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_parent')
  if job.err then return 'malformed' end
  if redis.call('EXISTS', key) == 0 then return 'gone' end
  local status, queue = job[1] or 'waiting', job[2] or first_queue
  if status == 'processing' then
    redis.call('HSETNX', key, '_cancel', why)
    redis.pcall('SPUBLISH', flows_key('cancel', queue), member_of(queue, job_flow, job_id)) -- a hint, which not every account may send
    return 'requested'
  end
  if not OPEN[status] then return 'too late' end
  if not set_aside then expect_place(queue, status) end
  local member = member_of(queue, job_flow, job_id)
  if set_aside and status == 'waiting' then set_aside(queue, member) else take_out(member, key, status, queue) end
  return 'cancelled', cancel(job_flow, job_id, key, queue, status, job[3], job[4], why)
end

-- Cancels one run from outside: at once where nobody works on it, else by a flag that its worker sees when it renews. One
-- that fails already, and has something to undo, ends as it would.
--@ exports: cancel_job
--@ include: take_out cancel keys

local OPEN = { waiting = true, delayed = true }

-- Returns the word (cancelled, requested, too late, gone or malformed), and whether runs that it waits for are to be
-- cancelled.
local function cancel_job(job_flow, first_queue, job_id, why)
  local key = job_key(job_flow, job_id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_failing', '_undo')
  if job.err then return 'malformed' end
  if redis.call('EXISTS', key) == 0 then return 'gone' end
  local status, queue = job[1] or 'waiting', job[2] or first_queue
  if job[4] and (OPEN[status] or status == 'processing') then return 'requested' end
  if status == 'processing' then
    redis.call('HSETNX', key, '_cancel', why)
    redis.pcall('SPUBLISH', flows_key('cancel', queue), job_id) -- a hint, which not every account may send
    return 'requested'
  end
  if not OPEN[status] then return 'too late' end
  expect_place(queue, status)
  take_out(job_id, key, status, queue)
  local more = cancel(job_flow, job_id, key, queue, status, job[3], nil, why)
  return job[5] and 'requested' or 'cancelled', more
end

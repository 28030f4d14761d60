-- Moves a job that no worker has to another queue of its flow, where it waits: a new visit, as if it had just come there.
--@ exports: move_job
--@ needs: root target
--@ include: clock attempt status begin_anew take_out member place keys count asked

local ENDED = { failed = true, cancelled = true }
local MOVED = { waiting = true, delayed = true, failed = true, cancelled = true }

-- Returns `_attempt` for the new visit; of a job that has not ended, the path says how long it has waited in the old one.
local function after_move(text, job_id, status, job_queue, ended_ms)
  local job_fence, by, attempts, visit, rescues, since, path = read_attempt(text)
  if not job_fence or ENDED[status] then return next_visit(text, job_id, job_queue, tonumber(ended_ms)) end
  local waited = text and math.max(0, time - since) or waited_since_birth(job_id, time)
  if path ~= '-' and is_over(path) then
    path = path .. job_queue .. '=' .. text_of(waited)
  else
    path = path_of_claim(path, job_queue, waited)
  end
  local parts = { job_fence, by, attempts, visit, rescues, now_text, path }
  return next_visit(table.concat(parts, ' '), job_id, job_queue)
end

-- Returns the word, and where it is moved in which queue the caller puts it, by what name. With `set_aside`, that takes what
-- waits out of its list later.
local function move_job(job_flow, first_queue, job_id, set_aside)
  if job_flow ~= root then return 'child' end
  local key = job_key(job_flow, job_id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_attempt', '_ended')
  if job.err or (not job[1] and redis.call('EXISTS', key) == 0) then return 'gone' end
  local status, job_queue = job[1] or 'waiting', job[2] or first_queue
  if not MOVED[status] then return status end
  if not is_asked(status, job[5]) then return 'changed' end
  if job_queue == target then return 'there' end
  if is_cancelling(job_flow .. ':' .. job_id) then return 'cancelling' end
  local member = member_of(job_queue, job_flow, job_id)
  expect_place(job_queue, status)
  expect_place_of(target)
  if ENDED[status] then
    forget_ended(job_queue, status, member) -- it had left the queue by its end
  else
    if set_aside and status == 'waiting' then
      set_aside(job_queue, member)
    else
      take_out(member, key, status, job_queue)
    end
    count(job_queue, 'moved_out')
  end
  move(key, status, 'waiting', '_queue', target, '_attempt', after_move(job[4], job_id, status, job_queue, job[5]))
  count(target, 'moved_in')
  begin_anew(job_flow, job_id, key, job[3], target)
  return 'moved', target, member_of(target, job_flow, job_id)
end

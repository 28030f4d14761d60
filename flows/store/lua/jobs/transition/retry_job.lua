-- Retries a job that failed or was cancelled: a new visit to the queue where it ended.
--@ exports: retry_job
--@ include: attempt status begin_anew member place keys count asked

-- Returns the word, and where it is retried in which queue the caller puts it, by what name.
local function retry_job(job_flow, first_queue, job_id)
  local key = job_key(job_flow, job_id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_attempt', '_ended')
  if job.err or (not job[1] and redis.call('EXISTS', key) == 0) then return 'gone' end
  if job[1] ~= 'failed' and job[1] ~= 'cancelled' then return job[1] or 'waiting' end
  if not is_asked(job[1], job[5]) then return 'changed' end
  if is_cancelling(job_flow .. ':' .. job_id) then return 'cancelling' end
  local job_queue = job[2] or first_queue
  expect_place_of(job_queue)
  move(key, job[1], 'waiting', '_queue', job_queue, '_attempt', next_visit(job[4], job_id, job_queue, tonumber(job[5])))
  count(job_queue, 'retry_job')
  local member = member_of(job_queue, job_flow, job_id)
  forget_ended(job_queue, job[1], member)
  begin_anew(job_flow, job_id, key, job[3])
  return 'retried', job_queue, member
end

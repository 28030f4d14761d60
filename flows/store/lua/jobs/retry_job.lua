-- Retries a job that failed or was cancelled: a new visit to the queue where it ended.
-- Answers `cancelling` while `cascade` has to cancel children first, `changed` where it is none of those that were
-- asked for any more, and the state of a job that is not retried.
--@ keys: call
--@ args: ns now root flow first id settings states ended_before
--@ returns: word:word
--@ words: retried | gone | changed | cancelling | waiting | delayed | processing | children | done
--@ include: attempt status begin_anew place member once keys count told asked

local function retry_job()
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_attempt', '_ended')
  if job.err or redis.call('EXISTS', key) == 0 then return { 'gone' } end
  if job[1] ~= 'failed' and job[1] ~= 'cancelled' then return { job[1] or 'waiting' } end
  if not is_asked(job[1], job[5]) then return { 'changed' } end
  -- The children that it has now do not belong to the new visit.
  if redis.pcall('HEXISTS', flows_key('cancelling', root), flow .. ':' .. id) == 1 then return { 'cancelling' } end
  local queue = job[2] or first
  expect_place_of(queue)
  move(key, job[1], 'waiting', '_queue', queue, '_attempt', next_visit(job[4], id, queue, tonumber(job[5])))
  count(queue, 'retry_job')
  forget_ended(queue, job[1], member_of(queue, flow, id))
  begin_anew(flow, id, key, job[3], queue)
  write_counts()
  tell()
  return { 'retried' }
end

return once(retry_job)[1]

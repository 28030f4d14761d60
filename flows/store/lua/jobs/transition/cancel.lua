-- Ends a job as cancelled, from any state in which it has not ended.
--@ exports: cancel
--@ needs: root
--@ include: keys ending child_result

-- `from` is the job's state; the caller has taken the job out of that state's place. Where children have not settled,
-- or are written and not published, that is recorded: nothing of the parent expires until `cascade` has cancelled them
-- all. Returns whether it was recorded.
local function cancel(job_flow, job_id, key, job_queue, from, lookups, parent_job, why)
  local me = job_flow .. ':' .. job_id
  end_job(job_flow, job_id, key, job_queue, from, 'cancelled', lookups, parent_job,
    word_result(job_id, 'cancelled'), '_reason', why)
  local pending, building = flows_key('pending', me), flows_key('building', me)
  if redis.call('EXISTS', pending, building) == 0 then return false end
  redis.call('HSET', flows_key('cancelling', root), me, 1)
  for _, kept_on in ipairs({ key, pending, building }) do redis.call('PERSIST', kept_on) end
  return true
end

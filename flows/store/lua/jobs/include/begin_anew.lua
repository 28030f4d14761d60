-- Lets a job wait for a new visit that it does not come to by an attempt: it was retried, or moved by hand.
--@ exports: begin_anew
--@ include: keys life moved place member settings

-- The caller has moved the job into `waiting`. Nothing of its end, or of an earlier visit, stays.
local function begin_anew(job_flow, job_id, key, lookups, job_queue)
  redis.call('HDEL', key, '_cancel', '_error', '_ended', '_reason',
    '_next', '_policy', '_result', '_built', '_building', '_failed_child')
  -- Children of an earlier visit, some of which may still run, do not count in this one.
  local me = job_flow .. ':' .. job_id
  redis.call('DEL', flows_key('pending', me), flows_key('building', me))
  refresh_moved(job_flow, key, lookups)
  -- The retention of a job that had ended bounded them.
  if ttl == '0' then persist_lookups(job_flow, lookups) end
  put(job_queue, member_of(job_queue, job_flow, job_id))
end

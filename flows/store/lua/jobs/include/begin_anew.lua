-- Lets a job wait for a new visit that it does not come to by an attempt: it was retried, or moved by hand.
--@ exports: is_cancelling begin_anew
--@ needs: root
--@ include: keys life moved settings

local none_is

-- Returns whether `cascade` has to cancel children of the job first, which do not belong to its new visit. Most often
-- there are none of any job.
local function is_cancelling(me)
  local cancelling = flows_key('cancelling', root)
  if none_is == nil then none_is = redis.call('EXISTS', cancelling) == 0 end
  return not none_is and redis.pcall('HEXISTS', cancelling, me) == 1
end

-- The caller has moved the job into `waiting`, and puts it into its queue. Nothing of its end, or of an earlier visit,
-- stays.
local function begin_anew(job_flow, job_id, key, lookups)
  redis.call('HDEL', key, '_cancel', '_error', '_ended', '_reason',
    '_next', '_policy', '_result', '_built', '_building', '_failed_child')
  -- Children of an earlier visit, some of which may still run, do not count in this one.
  local me = job_flow .. ':' .. job_id
  redis.call('DEL', flows_key('pending', me), flows_key('building', me))
  refresh_moved(job_flow, key, lookups)
  -- The retention of a job that had ended bounded them.
  if ttl == '0' then persist_lookups(job_flow, lookups) end
end

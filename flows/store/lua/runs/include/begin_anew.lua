-- Lets a run wait for a new visit that it does not come to by an attempt: it was retried, or moved by hand.
--@ exports: is_cancelling begin_anew
--@ needs: root
--@ include: keys life moved settings forget_steps

local function is_cancelling(me)
  return redis.pcall('HEXISTS', flows_key('cancelling', root), me) == 1
end

-- A run that was moved belongs to the version of its new queue; where that pins none, to whichever takes it.
local function set_version(key, job_queue)
  local version = string.match(job_queue, '@=(.+)$')
  if version then redis.call('HSET', key, '_version', version) else redis.call('HDEL', key, '_version') end
end

-- The caller has moved the run into `waiting`, and puts it into its queue, which is another one where `moved_to` names it.
-- Steps that are done stay; of an end, and of what followed a failure, nothing does.
local function begin_anew(job_flow, _, key, lookups, moved_to)
  if moved_to then set_version(key, moved_to) end
  if redis.call('HEXISTS', key, '_ended') == 1 then forget_undone(key) end
  redis.call('HDEL', key, '_cancel', '_error', '_ended', '_reason')
  refresh_moved(job_flow, key, lookups)
  if ttl == '0' then persist_lookups(job_flow, lookups) end
end

-- Takes note that the index of an app knows instances as they stood at these revisions of their rows. Those that have
-- changed since are due again; one that will expire, when it has. Answers how many have changed.
--@ flags: allow-oom
--@ keys: outbox
--@ args: ns now
--@ rest: of each instance its id, and the revision, 0 where it is gone
--@ returns: changed:int
--@ include: arguments clock keys type

expect('zset', outbox)
local changed = 0
while at <= #rest do
  local id, revision = take(), take()
  local key = flows_key('tree', id)
  local shown = redis.pcall('HGET', key, 'shown') or '0'
  local left = redis.call('PTTL', key)
  if shown ~= revision then
    changed = changed + 1
    redis.call('ZADD', outbox, now_text, id)
  elseif left > 0 then
    redis.call('ZADD', outbox, string.format('%d', time + left), id)
  else
    redis.call('ZREM', outbox, id)
  end
end
return changed

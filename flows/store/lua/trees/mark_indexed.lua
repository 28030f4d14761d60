-- Takes note that the index of an app knows instances as they stood at these revisions of their rows. Those that have
-- changed since are due again; one that will expire, when it has. Answers how many have changed.
--@ flags: allow-oom
--@ keys: outbox
--@ args: ns now
--@ rest: of each instance its id, and the revision, 0 where it is gone
--@ returns: changed:int
--@ include: arguments clock keys type

expect('zset', outbox)
local changed, again, known = 0, {}, {}

-- Is due again from then on.
local function be_due(id, at_text)
  again[#again + 1] = at_text
  again[#again + 1] = id
end

while at <= #rest do
  local id, revision = take(), take()
  local key = flows_key('tree', id)
  local shown = redis.pcall('HGET', key, 'shown') or '0'
  if shown ~= revision then
    changed = changed + 1
    be_due(id, now_text)
  else
    local left = redis.call('PTTL', key)
    -- In its last millisecond it is still there, with none left.
    if left >= 0 then be_due(id, string.format('%d', time + left + 1)) else known[#known + 1] = id end
  end
end
if #again > 0 then redis.call('ZADD', outbox, unpack(again)) end
if #known > 0 then redis.call('ZREM', outbox, unpack(known)) end
return changed

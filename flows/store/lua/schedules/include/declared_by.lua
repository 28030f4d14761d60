-- Knows whether the code of an app declares a schedule: a process of it has said so lately, or a deploy script has.
--@ exports: declared_by
--@ needs: stale_ms
--@ include: keys clock

local function declared_by(owner, one)
  local seen = redis.call('HGET', flows_key('declared', owner), one)
  return seen == 'kept' or (tonumber(seen) or 0) >= time - tonumber(stale_ms)
end

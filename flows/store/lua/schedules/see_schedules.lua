-- Notes which schedules the code of an app declares, all of them, and deletes those of the app that no process has
-- declared for `stale_ms`; one that another app declares by now becomes that one's, and no slot is lost. `how` is `seen`, by a process that works, or `kept`, by a deploy script: those count as
-- declared until the next one.
-- Answers which are missing, or are not this app's, and which were deleted.
--@ args: ns now app how stale_ms
--@ rest: their ids
--@ returns: missing:list<text> gone:list<text>
--@ include: clock keys type declared_by forget_schedule

local declared = flows_key('declared', app)
expect('hash', declared)
expect('zset', ns .. 'flows:schedules')

local missing, listed = {}, {}
for i = at, #rest do
  local id = rest[i]
  listed[id] = true
  local hash = flows_key('schedule', id)
  local known = redis.pcall('HMGET', hash, 'app', 'wanted_by')
  if known[1] ~= app or known[2] == app then missing[#missing + 1] = id end
  if known[1] and known[1] ~= '' and known[1] ~= app then redis.call('HSET', hash, 'wanted_by', app) end
end

-- Gives a schedule to the app that declares it by now; returns whether there is one, which writes its own next.
local function pass_on(id)
  local heir = redis.call('HGET', flows_key('schedule', id), 'wanted_by')
  if not heir or heir == app or not declared_by(heir, id) then return false end
  redis.call('HSET', flows_key('schedule', id), 'app', heir)
  return true
end

local gone, known = {}, redis.call('HGETALL', declared)
for i = 1, #known, 2 do
  local id, seen = known[i], known[i + 1]
  if listed[id] then
    if how == 'seen' and seen == 'kept' then listed[id] = nil end
  elseif how == 'kept' and seen == 'kept' then
    redis.call('HSET', declared, id, now_text) -- it goes when those that work have stopped declaring it
  elseif not declared_by(app, id) then
    redis.call('HDEL', declared, id)
    if redis.pcall('HGET', flows_key('schedule', id), 'app') == app and not pass_on(id) then
      forget_schedule(id)
      gone[#gone + 1] = id
    end
  end
end
for id in pairs(listed) do redis.call('HSET', declared, id, how == 'kept' and 'kept' or now_text) end
return { missing, gone }

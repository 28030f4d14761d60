-- Puts rows of instances into the index; one of an older revision than is known changes nothing. What is known begins
-- `<revision>\n<app>\n<realm>\n`. Answers how many were put.
--@ keys: rows
--@ args: ns
--@ rest: of each instance its id, revision, app, realm as a part of a key, '1' while it is worked on, and row
--@ returns: put:int
--@ include: arguments keys type

expect('hash', rows)
local places = {}

-- Returns the lists of an app and of a realm of it, and that of what is worked on, which are ours.
local function places_of(app, realm)
  local name = app .. ':' .. realm
  if not places[name] then
    local keys = { flows_key('trees', app), flows_key('trees', name), working = flows_key('treesworking', app) }
    for _, place in ipairs({ keys[1], keys[2], keys.working }) do expect('zset', place) end
    places[name] = keys
  end
  return places[name]
end

-- Those to which anything is written are all looked at before the first write.
local found = {}
while at <= #rest do
  local one = { id = take(), revision = take(), app = take(), realm = take(), is_working = take() == '1', row = take() }
  one.places = places_of(one.app, one.realm)
  found[#found + 1] = one
end

-- Puts an instance into its lists, in which it stays until it goes to another realm.
local function place(one, app, realm)
  if app == one.app and realm == one.realm then return end
  if app then
    redis.call('ZREM', flows_key('trees', app), one.id)
    redis.call('ZREM', flows_key('trees', app .. ':' .. realm), one.id)
    redis.call('ZREM', flows_key('treesworking', app), one.id)
  end
  for _, list in ipairs(one.places) do redis.call('ZADD', list, 0, one.id) end
end

local put = 0
for _, one in ipairs(found) do
  local known = redis.call('HGET', rows, one.id)
  local revision, app, realm = string.match(known or '', '^(%d+)\n([^\n]*)\n([^\n]*)\n')
  if not revision or tonumber(revision) < tonumber(one.revision) then
    put = put + 1
    place(one, app, realm)
    redis.call('HSET', rows, one.id, table.concat({ one.revision, one.app, one.realm, one.row }, '\n'))
    if one.is_working then
      redis.call('ZADD', one.places.working, 0, one.id)
    else
      redis.call('ZREM', one.places.working, one.id)
    end
  end
end
return put

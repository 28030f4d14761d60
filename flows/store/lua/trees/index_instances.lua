-- Puts rows of instances into the index; one of an older revision than is known changes nothing. What is known begins
-- `<revision>\n<app>\n<realm>\n`. Answers how many were put.
--@ keys: rows
--@ args: ns
--@ rest: of each instance its id, revision, app, realm as a part of a key, '1' while it is worked on, and row
--@ returns: put:int
--@ include: arguments keys type

expect('hash', rows)
local found = {}
while at <= #rest do
  local one = { id = take(), revision = take(), app = take(), realm = take(), is_working = take(), row = take() }
  local of_app, of_realm = flows_key('trees', one.app), flows_key('trees', one.app .. ':' .. one.realm)
  one.working = flows_key('treesworking', one.app)
  one.places = { of_app, of_realm }
  for _, place in ipairs({ of_app, of_realm, one.working }) do expect('zset', place) end
  found[#found + 1] = one
end

local put = 0
for _, one in ipairs(found) do
  local known = redis.call('HGET', rows, one.id)
  local revision, app, realm = string.match(known or '', '^(%d+)\n([^\n]*)\n([^\n]*)\n')
  if not revision or tonumber(revision) < tonumber(one.revision) then
    put = put + 1
    if revision and (app ~= one.app or realm ~= one.realm) then
      redis.call('ZREM', flows_key('trees', app), one.id)
      redis.call('ZREM', flows_key('trees', app .. ':' .. realm), one.id)
      redis.call('ZREM', flows_key('treesworking', app), one.id)
    end
    redis.call('HSET', rows, one.id, table.concat({ one.revision, one.app, one.realm, one.row }, '\n'))
    for _, place in ipairs(one.places) do redis.call('ZADD', place, 0, one.id) end
    if one.is_working == '1' then
      redis.call('ZADD', one.working, 0, one.id)
    else
      redis.call('ZREM', one.working, one.id)
    end
  end
end
return put

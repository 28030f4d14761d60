-- Records schedules: those that an app's code declares, or with an empty `app` one that is made by hand. What is unchanged
-- keeps its next slot; what is new or was edited is reckoned anew, and keeps its pause and what it has started.
-- One that another app declares, or that was made by hand, is left alone; so is what is there, where one is made by hand
-- and `edit` is not 1.
--@ keys: call
--@ args: ns now app stale_ms edit
--@ rest: of each schedule its id, its next slot, and its fields and their values, counted; one field is `digest`
--@ returns: words:list<word>
--@ words: written | unchanged | taken
--@ include: clock arguments keys type declared_by once

local schedules = ns .. 'flows:schedules'
expect('zset', schedules)

local function digest_of(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'digest' then return fields[i + 1] end
  end
end

local function word_of(one)
  local found = redis.call('HMGET', one.hash, 'digest', 'app')
  if not found[1] then return 'written' end
  local is_ours = found[2] == app and (app ~= '' or edit == '1')
  if not is_ours and (app == '' or found[2] == '' or declared_by(found[2], one.id)) then return 'taken' end
  return found[1] == digest_of(one.fields) and 'unchanged' or 'written'
end

local all = {}
while at <= #rest do
  local one = { id = take(), next = take(), fields = take_counted() }
  one.hash = flows_key('schedule', one.id)
  expect('hash', one.hash)
  one.word = word_of(one)
  all[#all + 1] = one
end

return once(function()
  local words = {}
  for i, one in ipairs(all) do
    words[i] = one.word
    if one.word == 'written' then
      redis.call('HSET', one.hash, 'app', app, 'since', now_text, unpack(one.fields))
      redis.call('HSETNX', one.hash, 'created', now_text)
      redis.call('ZADD', schedules, one.next, one.id)
      redis.call('PERSIST', flows_key('fired', one.id))
    elseif one.word == 'unchanged' then
      redis.call('HSET', one.hash, 'app', app)
      redis.call('ZADD', schedules, 'NX', one.next, one.id)
    end
    if one.word ~= 'taken' then redis.call('HDEL', one.hash, 'wanted_by') end
  end
  return words
end)

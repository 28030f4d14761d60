-- Records which flow owns its queues and the names that its keys are made of, before it writes anything; and which
-- queues it has had, and which of them were its first.
-- Answers which name is taken, and by which flow.
--@ keys: names queues
--@ args: ns owner queue_count former_count
--@ rest: queues, former names of queues, then pairs of a name and its kind
--@ returns: answer:[word:word what?:text owner?:text]
--@ words: ok | taken
--@ asks: all
--@ include: keys arguments type

local declared, former = take_list(tonumber(queue_count)), take_list(tonumber(former_count))
expect('hash', names)
expect('hash', queues)
local function taken(queue)
  expect('hash', queue_key(queue, 'meta'))
  local found = redis.call('HGET', queue_key(queue, 'meta'), 'owner')
  if found and found ~= owner then return { 'taken', 'queue ' .. queue, 'flow ' .. found } end
end
for _, queue in ipairs(declared) do
  local answer = taken(queue)
  if answer then return answer end
end
for _, queue in ipairs(former) do
  local answer = taken(queue)
  if answer then return answer end
end
for i = at, #rest, 2 do
  local found = redis.call('HGET', names, rest[i])
  if found and found ~= rest[i + 1] .. ' of ' .. owner then return { 'taken', rest[i + 1] .. ' ' .. rest[i], found } end
end
for i, queue in ipairs(declared) do
  redis.call('HSET', queue_key(queue, 'meta'), 'owner', owner)
  if i == 1 then redis.call('HSET', queues, queue, 'first') else redis.call('HSETNX', queues, queue, 'later') end
end
for i = at, #rest, 2 do redis.call('HSET', names, rest[i], rest[i + 1] .. ' of ' .. owner) end
return { 'ok' }

-- Records which flow owns its queues and the names that its keys are made of, before it writes anything.
-- Answers which name is taken, and by which flow.
--@ keys: names
--@ args: ns owner queue_count
--@ rest: queues, then pairs of a name and its kind
--@ returns: answer:[word:word what?:text owner?:text]
--@ words: ok | taken
--@ include: keys arguments type

local queues = take_list(tonumber(queue_count))
expect('hash', names)
for _, queue in ipairs(queues) do
  expect('hash', queue_key(queue, 'meta'))
  local found = redis.call('HGET', queue_key(queue, 'meta'), 'owner')
  if found and found ~= owner then return { 'taken', 'queue ' .. queue, 'flow ' .. found } end
end
for i = at, #rest, 2 do
  local found = redis.call('HGET', names, rest[i])
  if found and found ~= rest[i + 1] .. ' of ' .. owner then return { 'taken', rest[i + 1] .. ' ' .. rest[i], found } end
end
for _, queue in ipairs(queues) do redis.call('HSET', queue_key(queue, 'meta'), 'owner', owner) end
for i = at, #rest, 2 do redis.call('HSET', names, rest[i], rest[i + 1] .. ' of ' .. owner) end
return { 'ok' }

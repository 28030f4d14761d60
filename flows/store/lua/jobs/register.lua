-- Records which flow owns its queues and the names that its keys are made of, before it writes anything; and which
-- queues it has had, and which of them were its first.
-- A queue's layout, `<priorities> <group field or ->`, says in which lists its jobs may stand. It only grows here: where
-- an earlier release has put jobs into more lists than this one declares, they are looked into all the same.
-- Answers which name is taken, and by which flow; or the layouts of all queues that the flow has had: a line
-- `<queue> <layout>` for each that has one.
--@ keys: names queues
--@ args: ns owner queue_count former_count layouts
--@ rest: queues, former names of queues, then pairs of a name and its kind
--@ returns: answer:[word:word what?:text owner?:text]
--@ words: ok | taken
--@ asks: all
--@ include: keys arguments type

-- Returns the layout that has all lists of both.
local function grown(before, asked)
  local bands, group = string.match(before or '', '^(%d+) (%S+)$')
  local more, field = string.match(asked or '', '^(%d+) (%S+)$')
  if not (bands and more) then return asked or before end
  return math.max(tonumber(bands), tonumber(more)) .. ' ' .. (field == '-' and group or field)
end

-- Writes the layouts of declared queues, and returns all that the flow has.
local function grow_layouts()
  local asked, known, lines = {}, redis.call('HKEYS', queues), {}
  for queue, layout in string.gmatch(layouts, '(%S+) (%d+ %S+)') do asked[queue] = layout end
  for _, queue in ipairs(known) do
    local meta = queue_key(queue, 'meta')
    local before = redis.pcall('HGET', meta, 'rules')
    local layout = type(before) ~= 'table' and grown(before, asked[queue])
    if layout and layout ~= before then redis.call('HSET', meta, 'rules', layout) end
    if layout then lines[#lines + 1] = queue .. ' ' .. layout end
  end
  return lines[1] and table.concat(lines, '\n')
end

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
return { 'ok', grow_layouts() }

-- Records which flow owns its queues and the names that its keys are made of, before it writes anything; and which
-- queues it has had, and which of them were its first. A queue that several flows share has all of them in its `meta`.
-- A queue's layout, `<priorities> <group field or ->`, says in which lists its jobs may stand. It only grows here: where
-- an earlier release has put jobs into more lists than this one declares, they are looked into all the same.
-- Answers which name is taken, by which flow, and why; or the layouts of all queues that the flow has had: a line
-- `<queue> <layout>` for each that has one.
--@ keys: names queues flow_settings
--@ args: ns owner queue_count former_count layouts shared settings
--@ rest: queues, former names of queues, then pairs of a name and its kind
--@ returns: answer:[word:word what?:text owner?:text why?:text]
--@ words: ok | taken
--@ asks: DEL EXISTS GET HDEL HEXISTS HGET HGETALL HINCRBY HKEYS HLEN HMGET HRANDFIELD HSCAN HSET HSETNX HVALS
--@ asks: LINDEX LLEN LPOP LPOS LPUSH LRANGE LREM LSET LTRIM MGET PERSIST PEXPIRE PTTL RENAME RPUSH SADD SCAN SCARD
--@ asks: SET SISMEMBER SMEMBERS SMISMEMBER SRANDMEMBER SREM TIME TYPE UNLINK XADD XRANGE XREVRANGE XTRIM ZADD ZCARD
--@ asks: ZCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANK ZREM ZREMRANGEBYSCORE ZREVRANGE ZSCAN ZSCORE
--@ include: keys arguments type waiting

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
expect('string', flow_settings)

local function is_shared(queue) return string.find(shared, ' ' .. queue .. ' ', 1, true) ~= nil end

-- Jobs stand in a shared queue by other names: what waits there by the old ones would be lost.
local function holds_jobs(queue)
  for _, place in ipairs({ 'processing', 'delayed', 'children' }) do
    if redis.call('EXISTS', queue_key(queue, place)) == 1 then return true end
  end
  return depth(queue) ~= 0
end

local function taken(queue)
  local meta = queue_key(queue, 'meta')
  expect('hash', meta)
  local found, flows = unpack(redis.call('HMGET', meta, 'owner', 'flows'))
  if not is_shared(queue) then
    if flows == owner and holds_jobs(queue) then return { 'taken', 'queue ' .. queue, 'flow ' .. owner, 'full' } end
    if flows and flows ~= owner then return { 'taken', 'queue ' .. queue, 'flows ' .. flows, 'shared' } end
    if found and found ~= owner then return { 'taken', 'queue ' .. queue, 'flow ' .. found } end
  elseif found and found ~= owner then
    return { 'taken', 'queue ' .. queue, 'flow ' .. found, 'alone' }
  elseif found and holds_jobs(queue) then
    return { 'taken', 'queue ' .. queue, 'flow ' .. owner, 'full' }
  end
end
for _, list in ipairs({ declared, former }) do
  for _, queue in ipairs(list) do
    local answer = taken(queue)
    if answer then return answer end
  end
end

-- Returns how a name is recorded, by its kind: those of shared queues belong to no flow.
local function recorded(kind)
  return string.sub(kind, 1, 7) == 'shared ' and kind or kind .. ' of ' .. owner
end
for i = at, #rest, 2 do
  local found = redis.call('HGET', names, rest[i])
  if found and found ~= recorded(rest[i + 1]) then return { 'taken', rest[i + 1] .. ' ' .. rest[i], found } end
end

local function record(queue)
  local meta = queue_key(queue, 'meta')
  if not is_shared(queue) then
    redis.call('HSET', meta, 'owner', owner)
    return redis.call('HDEL', meta, 'flows')
  end
  local flows = redis.call('HGET', meta, 'flows')
  if not string.find(' ' .. (flows or '') .. ' ', ' ' .. owner .. ' ', 1, true) then
    redis.call('HSET', meta, 'flows', flows and flows .. ' ' .. owner or owner)
  end
  redis.call('HDEL', meta, 'owner')
end
for i, queue in ipairs(declared) do
  record(queue)
  if i == 1 then redis.call('HSET', queues, queue, 'first') else redis.call('HSETNX', queues, queue, 'later') end
end
for i = at, #rest, 2 do redis.call('HSET', names, rest[i], recorded(rest[i + 1])) end

-- Jobs may be left in a shared queue that the flow declares no more: where they go, the release before has said. And a
-- process that says `?` leaves to others what is left behind of jobs that end.
local stored = redis.call('GET', flow_settings)
local function settings_with_former()
  local text, asks = string.gsub(settings, '\n%?', '')
  for line, kind, queue in string.gmatch(stored or '', '\n(([=@>]) (%S+)[^\n]*)') do
    local is_former = kind == '=' and not is_shared(queue)
    if is_former or (kind ~= '=' and asks > 0) then text = text .. '\n' .. line end
  end
  return text
end
local known = settings_with_former()
local says = string.find(known, '\n[=@>] ') ~= nil
if shared ~= '' or (stored ~= known and (stored or says)) then redis.call('SET', flow_settings, known) end
return { 'ok', grow_layouts() }

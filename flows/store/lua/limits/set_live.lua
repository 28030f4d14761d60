-- Sets numbers of limits, slots or shares while workers run, in place of those that are declared, or takes them back.
-- They count from the next claim on: what is parked by a limit or for want of a slot is looked at again then.
--@ args: ns now hash_kind hash_name
--@ rest: fields and their values, counted, '' to take one back; then queues to wake, each with a group of it, or '' for all
--@ returns: answer:word
--@ words: set
--@ include: clock arguments keys type wake

-- So many parked groups are looked at again at most: the others come when their time does.
local MOST, PAGE = 10000, 1000
local MARK = 0.5 -- of a hold, see hold.lua

local hash = flows_key(hash_kind, hash_name)
expect('hash', hash)
local pairs_of = take_counted()
local queues = {}
while at <= #rest do queues[#queues + 1] = { take(), take() } end
for _, queue in ipairs(queues) do expect('zset', flows_key('parked', queue[1])) end

-- Lets groups that are parked come back now, but for those that are held.
local function let_back(parked, found)
  local back = {}
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) % 1 ~= MARK then
      back[#back + 1] = 0
      back[#back + 1] = found[i]
    end
  end
  if #back > 0 then redis.call('ZADD', parked, unpack(back)) end
  return #back / 2
end

local function let_all_back(parked)
  local held = 0
  for _ = 1, MOST / PAGE do
    local found = redis.call('ZRANGE', parked, '(' .. now_text, '+inf', 'BYSCORE', 'LIMIT', held, PAGE, 'WITHSCORES')
    held = held + #found / 2 - let_back(parked, found)
  end
end

local function let_group_back(parked, group)
  local found = {}
  for band = 1, 8 do
    local score = redis.call('ZSCORE', parked, band .. '/' .. group)
    if score then
      found[#found + 1] = band .. '/' .. group
      found[#found + 1] = score
    end
  end
  let_back(parked, found)
end

local set = {}
for i = 1, #pairs_of, 2 do
  if pairs_of[i + 1] == '' then
    redis.call('HDEL', hash, pairs_of[i])
  else
    set[#set + 1] = pairs_of[i]
    set[#set + 1] = pairs_of[i + 1]
  end
end
if #set > 0 then redis.call('HSET', hash, unpack(set)) end
for _, queue in ipairs(queues) do
  local parked = flows_key('parked', queue[1])
  if queue[2] == '' then let_all_back(parked) else let_group_back(parked, queue[2]) end
  wake(queue[1])
end
return 'set'

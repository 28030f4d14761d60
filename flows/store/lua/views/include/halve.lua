-- Finds where a time stands in a list of ids that is sorted by time, or nearly so: by halving, which checks the order
-- where it looks. Producers whose clocks differ write lists that are sorted but for some seconds.
--@ exports: created_at halve halve_ids disorder

local HUGE = math.huge
-- Ids may stand before others that are so many ms younger; where more is seen, the list is not sorted.
local SLACK = 60000
-- So many ids are read at once: far inside a long list, that takes hardly longer than to read one.
local WINDOW = 256

-- Returns when a job was created, in ms, by its id; nothing for what is no id.
local function created_at(id)
  if #id == 36 then return tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) end
end

-- Returns the time of the first of some ids that has one, in a direction, and its index.
local function first_time(ids, from, to, step, time_of)
  for i = from, to, step do
    local found = time_of(ids[i])
    if found then return found, i end
  end
end

-- Returns the first index among some ids whose time is `wanted` or later; one behind the last where there is none.
local function halve_ids(ids, wanted, time_of)
  local low, high = 1, #ids + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found, index = first_time(ids, middle, high - 1, 1, time_of)
    if found and found < wanted then low = index + 1 else high = middle end
  end
  return low
end

-- Returns where to look next: where the time would stand if times were evenly spread, or in the middle.
local function guess(low, high, least, greatest, wanted, evenly)
  local part = 0.5
  if evenly and greatest > least and greatest - least < HUGE then
    part = (wanted - least) / (greatest - least)
  end
  return math.min(high - WINDOW, math.max(low, low + math.floor((high - low) * part) - WINDOW / 2))
end

-- Returns the first index whose time is `wanted` or later, and the length of the list where there is none; nothing
-- where the list is not sorted.
local function halve(list, length, wanted, time_of)
  local low, high, least, greatest, evenly = 0, length, -HUGE, HUGE, true
  -- What the ends say is a hint: jobs that were handed back stand at the head of their list.
  local begins, ends
  if length > WINDOW then
    begins, ends = time_of(redis.call('LINDEX', list, 0)), time_of(redis.call('LINDEX', list, -1))
  end
  while high - low > WINDOW do
    local from = guess(low, high, math.max(least, begins or -HUGE), math.min(greatest, ends or HUGE), wanted, evenly)
    local ids = redis.call('LRANGE', list, from, from + WINDOW - 1)
    local head, at_head = first_time(ids, 1, #ids, 1, time_of)
    if not head then return nil end
    local tail, at_tail = first_time(ids, #ids, 1, -1, time_of)
    if head < least - SLACK or tail > greatest + SLACK or head > tail + SLACK then return nil end
    if head >= wanted then
      high, greatest = from + at_head - 1, head
    elseif tail < wanted then
      low, least = from + at_tail, tail
    else
      return from + halve_ids(ids, wanted, time_of) - 1
    end
    evenly = not evenly
  end
  return low + halve_ids(redis.call('LRANGE', list, low, high - 1), wanted, time_of) - 1
end

-- Returns whether ids follow each other by their texts, in which the time of creation comes first; of what has texts
-- between them that are no ids, it may say no.
local function in_order(ids)
  local last = ''
  for _, id in ipairs(ids) do
    if id < last then return false end
    last = id
  end
  return true
end

-- Returns by how many ms some ids that follow each other are out of order, at most.
local function disorder(ids, time_of)
  local latest, worst = -HUGE, 0
  if time_of == created_at and in_order(ids) then return 0 end
  for _, id in ipairs(ids) do
    local found = time_of(id)
    if found then
      worst = math.max(worst, latest - found)
      latest = math.max(latest, found)
    end
  end
  return worst
end

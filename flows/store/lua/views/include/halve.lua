-- Finds where a time stands in a list of ids that is sorted by time, or nearly so: by halving, which checks the order
-- where it looks. Producers whose clocks differ write lists that are sorted but for some seconds.
--@ exports: created_at halve disorder

local HUGE = math.huge
-- Ids may stand before others that are so many ms younger; where more is seen, the list is not sorted.
local SLACK = 60000
-- So many neighbours are looked at in place of what is no id.
local NEIGHBOURS = 50

-- Returns when a job was created, in ms, by its id; nothing for what is no id.
local function created_at(id)
  if #id == 36 then return tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) end
end

-- Returns the time of the first id from an index on that has one, and its index.
local function readable(list, index, high, time_of)
  local id = redis.call('LINDEX', list, index)
  local found = id and time_of(id)
  if found then return found, index end
  local near = redis.call('LRANGE', list, index + 1, math.min(high - 1, index + NEIGHBOURS))
  for i, other in ipairs(near) do
    found = time_of(other)
    if found then return found, index + i end
  end
end

-- Returns the first index whose time is `wanted` or later, and the length of the list where there is none; nothing
-- where the list is not sorted.
local function halve(list, length, wanted, time_of)
  local low, high, least, greatest = 0, length, -HUGE, HUGE
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found, index = readable(list, middle, high, time_of)
    if not found then
      high = middle
    elseif found < least - SLACK or found > greatest + SLACK then
      return nil
    elseif found < wanted then
      low, least = index + 1, math.max(least, found)
    else
      high, greatest = middle, math.min(greatest, found)
    end
  end
  return low
end

-- Returns by how many ms some ids that follow each other are out of order, at most.
local function disorder(ids, time_of)
  local latest, most = -HUGE, 0
  for _, id in ipairs(ids) do
    local found = time_of(id)
    if found then
      most = math.max(most, latest - found)
      latest = math.max(latest, found)
    end
  end
  return most
end

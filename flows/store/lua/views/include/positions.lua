-- Finds where reading a source goes on: behind the last id that was read, wherever it stands by now.
--@ exports: list_position set_position bound
--@ include: halve

-- So many ids on each side of where an id is believed to be are looked at, at first and in all.
local NEAR, FAR = 100, 10000
local PAGE = 1000
-- Clocks may differ by so many ms, where nothing else is seen; so many ids are looked at in vain for it.
local CLOCKS, VAIN = 10000, 250

-- Returns the index of an id near another index, or nothing.
local function found_near(list, id, index, reach)
  local from = math.max(0, index - reach)
  for i, other in ipairs(redis.call('LRANGE', list, from, index + reach)) do
    if other == id then return from + i - 1 end
  end
end

-- The same for both sides of what was looked at already.
local function found_far(list, id, index)
  for reach = PAGE, FAR, PAGE do
    local at = found_near(list, id, index + reach, PAGE)
    if at then return at end
    local below = index - reach
    if below > -PAGE then
      at = found_near(list, id, below, PAGE)
      if at then return at end
    end
  end
end

-- Returns the first index to be read where no id is left that tells. Where ids stand out of order, some that were read
-- before may come again, rather than that one is left out.
local function behind(list, id, time, index, newest, time_of)
  local from = math.max(0, index - PAGE)
  local ids = redis.call('LRANGE', list, from, index + PAGE)
  local out = disorder(ids, time_of)
  local head, tail, step, sign = 1, #ids, 1, 1
  if newest then head, tail, step, sign = #ids, 1, -1, -1 end
  for i = head, tail, step do
    local found = time_of(ids[i])
    local later = found and sign * (found - time)
    if later == 0 then later = (ids[i] > id) == (sign > 0) and 1 or -1 end
    if later and later >= -out then return from + i - 1 end
  end
  return newest and from - 1 or from + #ids
end

-- Returns the index of an id, which stood at `index` and by `time` when it was read; nothing where it is gone. The
-- second value is where it would stand by its time.
local function index_of(list, length, id, index, time, time_of)
  local at = found_near(list, id, index, NEAR)
  if at then return at end
  local believed = halve(list, length, time, time_of) or math.min(index, length)
  return found_near(list, id, believed, NEAR) or found_far(list, id, believed), believed
end

-- Returns the index at which reading a list goes on, behind a job, or behind the one that was read before it.
local function list_position(list, length, id, before, index, time, newest, time_of)
  local step = newest and -1 or 1
  local at, believed = index_of(list, length, id, index, time, time_of)
  local earlier = not at and time_of(before)
  if earlier then at = index_of(list, length, before, index - step, earlier, time_of) end
  return at and at + step or behind(list, id, time, believed, newest, time_of)
end

-- Returns the rank at which reading a sorted set goes on, behind this score and id, whether they stand there or not.
local function set_position(set, length, id, score, newest)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('ZRANGE', set, middle, middle, 'WITHSCORES')
    local other = tonumber(entry[2])
    local behind_it = other > score or (other == score and entry[1] > id)
    if newest then behind_it = other > score or (other == score and entry[1] >= id) end
    if behind_it then high = middle else low = middle + 1 end
  end
  return newest and low - 1 or low
end

-- Returns the index in a list sorted by creation from which on jobs were created at a time or later (`side` -1), or
-- before which they were created earlier (1): further out where ids are out of order there, or clocks may differ.
local function bound(list, length, time, side)
  local whole = side < 0 and 0 or length
  local at = halve(list, length, time, created_at)
  if not at then return whole end
  local from = math.max(0, at - VAIN)
  local near = redis.call('LRANGE', list, from, at + VAIN)
  local out = disorder(near, created_at)
  if out > 0 then return halve(list, length, time + side * (CLOCKS + 2 * out), created_at) or whole end
  return from + halve_ids(near, time + side * CLOCKS, created_at) - 1
end

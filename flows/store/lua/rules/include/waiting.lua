-- Reads where jobs of a queue wait: in one list, or where the queue has rules in those of its priorities and groups.
--@ exports: depth list_for some_lists first_waiting drop_first
--@ include: rules spots

-- So many groups are looked at, where some are to be read.
local SOME = 5

-- Of a key that holds something else nothing is known.
local function length_of(list)
  local length = redis.pcall('LLEN', list)
  return type(length) == 'number' and length or nil
end

-- Returns how many ids stand where jobs of the queue wait; nothing where something else stands there.
local function depth(job_queue)
  local rule = RULES[job_queue]
  local n = length_of(band_list(job_queue, 1))
  if not n or not rule then return n end
  for band = 1, rule.priorities do
    if band > 1 then n = n + (length_of(band_list(job_queue, band)) or 0) end
    local grouped = rule.group and redis.pcall('HGET', fair_of(job_queue), 'n' .. band)
    n = n + math.max(0, tonumber(grouped) or 0)
  end
  return n
end

-- Returns the list in which a job stands that waits in the queue.
local function list_for(job_queue, job_id)
  local rule = RULES[job_queue]
  if not rule or rule.flat then return band_list(job_queue, 1) end
  local band, group = spot_of(job_queue, job_id)
  return group == '' and band_list(job_queue, band) or group_list(job_queue, band, group)
end

local function members(zset, n)
  local found = redis.pcall('ZRANGE', zset, 0, n - 1)
  return found.err and {} or found
end

-- Returns the lists of all bands and of the first few groups: at their heads stand the oldest jobs, as far as is seen.
local function some_lists(job_queue)
  local rule = RULES[job_queue]
  local lists = {}
  for band = 1, rule and rule.priorities or 1 do
    lists[#lists + 1] = band_list(job_queue, band)
    for _, group in ipairs(rule and rule.group and members(ring_of(job_queue, band), SOME) or {}) do
      if group ~= '' then lists[#lists + 1] = group_list(job_queue, band, group) end
    end
  end
  for _, name in ipairs(rule and rule.group and members(parked_of(job_queue), SOME) or {}) do
    local band, group = string.match(name, '^(%d+)/(.+)$')
    if band then lists[#lists + 1] = group_list(job_queue, band, group) end
  end
  return lists
end

-- The band whose group the last ids were read of; nil where they stood in a list of a band.
local band_read

-- Returns ids of the next group in a sorted set that has some; groups that have none are taken out of it.
local function first_in(set, most, list_of)
  while true do
    local name = redis.call('ZRANGE', set, 0, 0)[1]
    if not name then return {} end
    local list, band = list_of(name)
    local ids = list and redis.call('LRANGE', list, 0, most - 1) or {}
    if #ids > 0 then
      band_read = band
      return ids, list
    end
    redis.call('ZREM', set, name)
  end
end

-- Returns up to `most` ids from the head of a list of the queue that is not empty, and that list.
local function first_waiting(job_queue, most)
  local rule = RULES[job_queue]
  band_read = nil
  for band = 1, rule and rule.priorities or 1 do
    local list = band_list(job_queue, band)
    local ids = redis.call('LRANGE', list, 0, most - 1)
    if #ids == 0 and rule and rule.group then
      ids, list = first_in(ring_of(job_queue, band), most, function(group)
        return group ~= '' and group_list(job_queue, band, group) or nil, band
      end)
    end
    if #ids > 0 then return ids, list end
  end
  if not (rule and rule.group) then return {} end
  return first_in(parked_of(job_queue), most, function(name)
    local band, group = string.match(name, '^(%d+)/(.+)$')
    return band and group_list(job_queue, band, group), band
  end)
end

-- Drops so many ids from the head of that list.
local function drop_first(job_queue, list, n)
  redis.call('LTRIM', list, n, -1)
  if band_read then redis.call('HINCRBY', fair_of(job_queue), 'n' .. band_read, -n) end
end

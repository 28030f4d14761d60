-- Reads where jobs of a queue wait: in one list, or where the queue has rules in those of its priorities and groups.
--@ exports: depth list_for lists_for lists_state ahead_of some_lists first_waiting drop_first
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

-- Returns the lists in which it may stand: its own, and the first one, in which workers that know no rules put it.
local function lists_for(job_queue, job_id)
  local own, first_list = list_for(job_queue, job_id), band_list(job_queue, 1)
  return own == first_list and { own } or { own, first_list }
end

local function card(zset)
  local n = redis.pcall('ZCARD', zset)
  return type(n) == 'number' and n or 0
end

-- Returns how many ids wait in a band.
local function depth_of(job_queue, band)
  local grouped = RULES[job_queue].group and redis.pcall('HGET', fair_of(job_queue), 'n' .. band)
  return (length_of(band_list(job_queue, band)) or 0) + math.max(0, tonumber(grouped) or 0)
end

-- Returns how many wait in each band, in how many groups, and how many of those are parked: names and numbers by turns.
local function lists_state(job_queue)
  local rule, state = RULES[job_queue], {}
  if not rule then return state end
  for band = 1, rule.priorities do
    state[#state + 1], state[#state + 2] = 'priority', depth_of(job_queue, band)
  end
  if not rule.group then return state end
  local groups, parked = 0, card(parked_of(job_queue))
  for band = 1, rule.priorities do
    local none = redis.pcall('ZSCORE', ring_of(job_queue, band), '')
    groups = groups + card(ring_of(job_queue, band)) - (type(none) == 'string' and 1 or 0)
  end
  state[#state + 1], state[#state + 2] = 'groups', groups + parked
  state[#state + 1], state[#state + 2] = 'parked', parked
  return state
end

-- Returns how many ids go before a job that stands at this place of its list, and whether that is exact; of a job in a
-- group, also its place there: each other group has its turn as often as its own, at most, where their shares are alike.
local function ahead_of(job_queue, job_id, place)
  local rule = RULES[job_queue]
  if not rule or rule.flat then return place, true end
  local band, group = spot_of(job_queue, job_id)
  local before, ahead = 0, place
  for other = 1, rule.shares and 0 or band - 1 do before = before + depth_of(job_queue, other) end
  if rule.group then
    local groups = math.max(1, card(ring_of(job_queue, band)) + card(parked_of(job_queue)))
    ahead = math.min((place + 1) * groups - 1, math.max(place, depth_of(job_queue, band) - 1))
  end
  if rule.shares then
    local all, own = 0, rule.shares[band] or 1
    for _, share in ipairs(rule.shares) do all = all + share end
    local most = 0
    for other = 1, rule.priorities do most = most + depth_of(job_queue, other) end
    ahead = math.max(ahead, math.min(math.floor(ahead * all / own), most - 1))
  end
  return before + ahead, not (rule.shares or rule.group), group ~= '' and place or nil
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

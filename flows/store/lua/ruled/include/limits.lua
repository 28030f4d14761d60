-- The limiters of the queue, each with its values as they are now, and what they say of the next start.
--@ exports: queue_ready read_group_limits group_ready take_from_limits
--@ needs: queue
--@ include: clock keys rules window

-- Returns the window of a limiter at a key that holds `text`, with values that were set while it runs, or the declared.
local function window_of(limiter, key, text, set)
  local most, interval = limiter.reservoir, limiter.interval
  if set then
    local set_most, set_interval = string.match(set, '^(%d+)/(%d+)$')
    if set_most then most, interval = math.max(1, set_most), math.max(1, set_interval) end
  end
  return open_window(key, text, most, interval, limiter.smooth)
end

-- Returns some values that were set for a limiter; none where its key holds something else.
local function set_values(limiter, ...)
  local found = redis.pcall('HMGET', flows_key('limit', limiter.id), ...)
  return found.err and {} or found
end

local of_queue, by_group, of_groups = nil, {}, {}

-- Reads those that count all jobs of the queue, and finds those that count each group by itself.
local function read_limits()
  of_queue = {}
  for _, limiter in ipairs(RULES[queue].limits) do
    if limiter.by_group then
      by_group[#by_group + 1] = limiter
    else
      local key = flows_key('window', limiter.id)
      of_queue[#of_queue + 1] = window_of(limiter, key, redis.call('MGET', key)[1], set_values(limiter, 'live')[1])
    end
  end
end

local function latest(windows, cost)
  local at_ms = time
  for i = 1, #windows do
    local ready = ready_at(windows[i], cost)
    if ready > at_ms then at_ms = ready end
  end
  return at_ms
end

-- Returns when the limits of the queue let a job of this cost start; `time` for now.
local function queue_ready(cost)
  if not of_queue then read_limits() end
  return latest(of_queue, cost)
end

-- Returns what was set for these groups, if anything was; what was set for all groups counts for the others.
local function set_for(limiter, groups)
  local of_all = set_values(limiter, 'live', 'live:')
  local set = {}
  if of_all[2] then
    local names = {}
    for i = 1, #groups do names[i] = 'live:' .. groups[i] end
    set = set_values(limiter, unpack(names))
  end
  for i = 1, #groups do set[i] = set[i] or of_all[1] end
  return set
end

-- Reads the limits of many groups, by a few commands for each limiter.
local function read_group_limits(groups)
  if not of_queue then read_limits() end
  local missing = {}
  for i = 1, #groups do
    local group = groups[i]
    if not of_groups[group] then
      of_groups[group] = {}
      if group ~= '' then missing[#missing + 1] = group end
    end
  end
  if #missing == 0 then return end
  for n = 1, #by_group do
    local limiter, keys = by_group[n], {}
    local prefix = flows_key('window', limiter.id .. '/')
    for i = 1, #missing do keys[i] = prefix .. missing[i] end
    local texts, set = redis.call('MGET', unpack(keys)), set_for(limiter, missing)
    for i = 1, #missing do of_groups[missing[i]][n] = window_of(limiter, keys[i], texts[i], set[i]) end
  end
end

-- Returns when the limits of a group let a job of this cost start; jobs of no group have none.
local function group_ready(group, cost)
  if not of_groups[group] then read_group_limits({ group }) end
  return latest(of_groups[group], cost)
end

-- Takes the tokens of a job from all of its limiters, at one time: the latest of theirs.
local function take_from_limits(group, cost, at_ms)
  for i = 1, #of_queue do take_tokens(of_queue[i], cost, at_ms) end
  local windows = of_groups[group]
  if windows then
    for i = 1, #windows do take_tokens(windows[i], cost, at_ms) end
  end
end

-- The limiters of the queue, each with its values as they are now, and what they say of the next start.
--@ exports: queue_ready read_group_limits group_ready take_from_limits
--@ needs: queue
--@ include: clock keys rules type window

-- Returns where the windows of groups stand.
local function windows_of(limiter) return flows_key('windows', limiter.id) end

for _, limiter in ipairs(RULES[queue].limits) do
  if limiter.by_group then expect('hash', windows_of(limiter)) end
end

-- Returns the terms of a limiter by the values that were set while it runs, or those that it declares.
local function terms_by(limiter, set, hash)
  local most, interval = limiter.reservoir, limiter.interval
  if set then
    local set_most, set_interval = string.match(set, '^(%d+)/(%d+)$')
    if set_most then most, interval = math.max(1, set_most), math.max(1, set_interval) end
  end
  return terms_of(most, interval, limiter.smooth, hash)
end

-- Returns some values that were set for a limiter; none where its key holds something else: an error has no elements.
local function set_values(limiter, ...) return redis.pcall('HMGET', flows_key('limit', limiter.id), ...) end

-- The windows of the queue; the limiters that count each group by itself, with its windows by the groups' names, as far
-- as they were `read`.
local of_queue, by_group, read = nil, {}, {}

-- Reads those that count all jobs of the queue, and finds those that count each group by itself.
local function read_limits()
  of_queue = {}
  for _, limiter in ipairs(RULES[queue].limits) do
    if limiter.by_group then
      by_group[#by_group + 1] = { limiter = limiter, windows = {}, hash = { key = windows_of(limiter), interval = 0 } }
    else
      local key = flows_key('window', limiter.id)
      local terms = terms_by(limiter, set_values(limiter, 'live')[1])
      of_queue[#of_queue + 1] = open_window(key, redis.call('MGET', key)[1], terms)
    end
  end
end

-- Returns when the limits of the queue let a job of this cost start; `time` for now.
local function queue_ready(cost)
  if not of_queue then read_limits() end
  local at_ms = time
  for i = 1, #of_queue do
    local ready = ready_at(of_queue[i], cost)
    if ready > at_ms then at_ms = ready end
  end
  return at_ms
end

-- Returns the terms of the groups for which some were set, and those of all others.
local function terms_for(limiter, groups, hash)
  local of_all = set_values(limiter, 'live', 'live:')
  local of_some, others = {}, terms_by(limiter, of_all[1], hash)
  if not of_all[2] then return of_some, others end
  local names = {}
  for i = 1, #groups do names[i] = 'live:' .. groups[i] end
  for i, set in ipairs(set_values(limiter, unpack(names))) do
    if set then of_some[groups[i]] = terms_by(limiter, set, hash) end
  end
  return of_some, others
end

-- Reads the limits of many groups, by a few commands for each limiter.
local function read_group_limits(groups)
  if not of_queue then read_limits() end
  local missing = {}
  for i = 1, #groups do
    local group = groups[i]
    if group ~= '' and not read[group] then
      read[group] = true
      missing[#missing + 1] = group
    end
  end
  if #missing == 0 then return end
  for n = 1, #by_group do
    local limiter, hash, windows = by_group[n].limiter, by_group[n].hash, by_group[n].windows
    local texts = redis.call('HMGET', hash.key, '', unpack(missing))
    hash.interval = tonumber(texts[1]) or 0
    local of_some, others = terms_for(limiter, missing, hash)
    for i = 1, #missing do
      local group = missing[i]
      windows[group] = open_window(group, texts[i + 1], of_some[group] or others)
    end
  end
end

-- Returns when the limits of a group let a job of this cost start; jobs of no group have none.
local function group_ready(group, cost)
  if not read[group] then read_group_limits({ group }) end
  local at_ms = time
  for n = 1, #by_group do
    local window = by_group[n].windows[group]
    local ready = window and ready_at(window, cost)
    if ready and ready > at_ms then at_ms = ready end
  end
  return at_ms
end

-- Takes the tokens of a job from all of its limiters, at one time: the latest of theirs.
local function take_from_limits(group, cost, at_ms)
  for i = 1, #of_queue do take_tokens(of_queue[i], cost, at_ms) end
  for n = 1, #by_group do
    local window = by_group[n].windows[group]
    if window then take_tokens(window, cost, at_ms) end
  end
end

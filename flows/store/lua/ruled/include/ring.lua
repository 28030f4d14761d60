-- The ring of a band: the groups that have something to start, each with the virtual time at which its next job comes.
-- The group with the least goes first, and with each job its time rises by the job's cost over the group's share. One that
-- comes back, from nothing or from where it was parked, has the present virtual time: it neither gains nor loses by that.
-- A group whose list is empty leaves when its turn has come, so that it cannot win by leaving.
--@ exports: unpark ring_head keep_turn leave_ring write_rings
--@ needs: queue
--@ include: clock keys rules spots push fair window limits slots ruled

local NEVER = 1 / 0
-- So many groups are read at once.
local MOST_HEADS = 100

local parked_key = parked_of(queue)
local rule = RULES[queue]
-- Whether groups have limits of their own.
local COUNTED = rule.per_group > 0
for _, limiter in ipairs(rule.limits) do COUNTED = COUNTED or limiter.by_group end

-- Lets groups take part again whose time has come, up to 100.
local function unpark()
  local names = redis.call('ZRANGE', parked_key, '-inf', time, 'BYSCORE', 'LIMIT', 0, 100)
  if #names == 0 then return end
  for _, name in ipairs(names) do
    local band, group = string.match(name, '^(%d+)/(.*)$')
    if band then redis.call('ZADD', ring_of(queue, tonumber(band)), 'NX', 0, group) end
  end
  redis.call('ZREM', parked_key, unpack(names))
end

-- Shares that are not 1, and the groups of which that is known.
local shares, known = {}, {}

local function read_shares(groups)
  local missing = {}
  for i = 1, #groups do
    local group = groups[i]
    if not known[group] then
      known[group] = true
      missing[#missing + 1] = group
    end
  end
  if #missing == 0 then return end
  local key = flows_key('shares', queue)
  if redis.call('EXISTS', key) == 0 then return end
  local found = redis.pcall('HMGET', key, unpack(missing)) -- an error has no elements
  for i = 1, #missing do
    local share = tonumber(found[i])
    if share and share > 0 then shares[missing[i]] = share end
  end
end

local rings = {}

-- Takes those out of a ring that have left it, but for a group that a job has joined meanwhile.
local function let_go(ring)
  local left = ring.left
  if joins ~= ring.joins then
    for i = #left, 1, -1 do
      if redis.call('EXISTS', group_list(queue, ring.band, left[i])) == 1 then table.remove(left, i) end
    end
  end
  if #left > 0 then redis.call('ZREM', ring.key, unpack(left)) end
  ring.left = {}
end

-- Writes what has changed: times of groups, and which have left or are parked.
local function write(ring)
  local times, parked, names = {}, {}, {}
  for group, score in pairs(ring.times) do times[#times + 1], times[#times + 2] = score, group end
  for group, at_ms in pairs(ring.parked) do
    parked[#parked + 1], parked[#parked + 2] = at_ms == NEVER and '+inf' or at_ms, ring.band .. '/' .. group
    names[#names + 1] = group
  end
  if #times > 0 then
    redis.call('ZADD', ring.key, unpack(times))
    set_fair('v' .. ring.band, ring.virtual)
  end
  if #parked > 0 then
    redis.call('ZADD', parked_key, unpack(parked))
    redis.call('ZREM', ring.key, unpack(names))
  end
  ring.times, ring.parked = {}, {}
  if #ring.left > 0 then let_go(ring) end
end

-- Reads the groups at the head of a ring, and what decides whether they may start.
local function read_page(ring, many)
  write(ring)
  local groups, scores = {}, {}
  local page = redis.call('ZRANGE', ring.key, 0, many - 1, 'WITHSCORES')
  for i = 1, #page, 2 do groups[#groups + 1], scores[#scores + 1] = page[i], tonumber(page[i + 1]) end
  ring.groups, ring.scores, ring.at = groups, scores, 1
  -- Of the groups after the page nothing is known but that they come later than its last one.
  ring.last = #groups == many and scores[many] or NEVER
  ring.back_groups, ring.back_scores, ring.back_at = {}, {}, 1
  if #groups == 0 then return end
  read_shares(groups)
  if COUNTED then
    read_group_limits(groups)
    read_loads(groups)
  end
end

local function open_ring(band, many)
  local ring = {
    band = band, key = ring_of(queue, band), times = {}, parked = {}, left = {}, virtual = fair_number('v' .. band) or 0,
  }
  rings[band] = ring
  if redis.call('LLEN', band_list(queue, band)) > 0 then redis.call('ZADD', ring.key, 'NX', 0, '') end
  read_page(ring, many)
  return ring
end

-- Makes the group with the least time the head, of those that were read and of those that came back; returns it.
local function next_in(ring, many)
  while true do
    local score, back = ring.scores[ring.at], ring.back_scores[ring.back_at]
    if score and not (back and back < score) then
      ring.head, ring.score = ring.groups[ring.at], score
      ring.at = ring.at + 1
      return ring.head
    end
    if back and back <= ring.last then
      ring.head, ring.score = ring.back_groups[ring.back_at], back
      ring.back_at = ring.back_at + 1
      return ring.head
    end
    if ring.last == NEVER then return nil end
    read_page(ring, many)
  end
end

-- Takes the head out of its ring: it has nothing more to start, or is parked until a time.
local function leave_ring(band, at_ms)
  local ring = rings[band]
  local group = ring.head
  ring.times[group], ring.head = nil, nil
  if at_ms then
    ring.parked[group] = at_ms
  else
    if #ring.left == 0 then ring.joins = joins end
    table.insert(ring.left, group)
  end
end

-- Returns the head of a band's ring that may start a job of the cost 1 now, when that would start, and for how many
-- ids each group of the ring is asked on average. Groups that may not are parked until they may.
local function ring_head(band, wanted)
  local many = wanted < 4 and 4 or wanted < MOST_HEADS and wanted or MOST_HEADS
  local ring = rings[band] or open_ring(band, many)
  while ruled.looks > 0 do
    local group = ring.head or next_in(ring, many)
    if not group then return nil end
    local at_ms = time
    if COUNTED and group ~= '' then at_ms = has_slots(group, 1) and group_ready(group, 1) or NEVER end
    if at_ms <= time + AHEAD then
      local groups = #ring.groups
      return group, at_ms, groups >= wanted and 1 or math.ceil(wanted / groups)
    end
    leave_ring(band, at_ms - AHEAD)
    ruled.looks = ruled.looks - 1
  end
end

-- Lets the head of a ring come again by its share, after it has started a job of this cost.
local function keep_turn(band, cost)
  local ring = rings[band]
  local group, score = ring.head, ring.score
  if score > ring.virtual then ring.virtual = score end
  score = ring.virtual + cost / (shares[group] or 1)
  ring.times[group], ring.head = score, nil
  local groups, scores = ring.back_groups, ring.back_scores
  local place = #scores + 1
  while place > ring.back_at and scores[place - 1] > score do
    groups[place], scores[place] = groups[place - 1], scores[place - 1]
    place = place - 1
  end
  groups[place], scores[place] = group, score
end

local function write_rings()
  for _, ring in pairs(rings) do write(ring) end
end

-- Says from which list the next job comes: the first band that has one, or, where bands have shares, the one with the
-- least virtual time; in a queue with groups, the list of the group whose turn it is.
--@ exports: next_list list_is_empty charge
--@ needs: queue waiting
--@ include: rules spots fair ruled ring

local rule = RULES[queue]
local lists, groups, empty, times = { waiting }, {}, {}, nil

-- Virtual times of bands with shares: `0` is the present one, that of a band which comes back.
local function read_times()
  times = {}
  for band = 0, rule.priorities do times[band] = fair_number('b' .. band) or 0 end
end

local function next_band()
  if not rule.shares then
    local band = ruled.band
    while empty[band] do band = band + 1 end
    return band <= rule.priorities and band or nil
  end
  if not times then read_times() end
  local best, soonest
  for band = 1, rule.priorities do
    if not empty[band] then
      local its_time = math.max(times[band], times[0])
      if not best or its_time < soonest then best, soonest = band, its_time end
    end
  end
  return best
end

-- Returns the list from which the next job is to be taken, and how many ids to read of it; nothing where no list has
-- one that may start. In `ruled` stand its band, its group, and when a job of the cost 1 can start.
local function next_list(wanted)
  local band = next_band()
  while band do
    if band ~= ruled.band then ruled.band, ruled.band_text = band, string.format('%d', band) end
    if not lists[band] then lists[band] = band_list(queue, band) end
    if not rule.group then return lists[band], wanted end
    if not groups[band] then groups[band] = group_lists(queue, band) end
    local group, at_ms, many = ring_head(band, wanted)
    if group then
      ruled.group, ruled.start = group, at_ms
      return group == '' and lists[band] or groups[band] .. group, many
    end
    empty[band] = true
    band = next_band()
  end
end

-- Goes on without the list that was just returned, which is empty.
local function list_is_empty()
  if rule.group then leave_ring(ruled.band) else empty[ruled.band] = true end
end

-- Charges a job of this cost to the band and the group of the list that was just returned.
local function charge(cost)
  local band = ruled.band
  if times then
    times[0] = math.max(times[band], times[0])
    times[band] = times[0] + cost / rule.shares[band]
    set_fair('b0', times[0])
    set_fair('b' .. band, times[band])
  end
  if rule.group then keep_turn(band, cost) end
end

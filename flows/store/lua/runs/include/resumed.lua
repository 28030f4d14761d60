-- The runs that go on with a slot which they have kept while they waited: they come before all others, whatever
-- their priorities and groups are, since no other run may have these slots.
--@ exports: resumed
--@ needs: queue
--@ include: keys clock spots ruled limits slots window

local kept = flows_key('kept', queue)
-- One turn looks at so many.
local MOST = 200
local ids, n, list

-- Returns the first ones, in the order in which they came back.
local function read_kept()
  n = 0
  free_slots()
  return redis.call('ZRANGE', kept, 1, '+inf', 'BYSCORE', 'LIMIT', 0, MOST)
end

-- Makes `ruled` say from which list a job comes.
local function come_from(band, group)
  ruled.band, ruled.band_text, ruled.group = band, string.format('%d', band), group
end

-- Returns the next one whose group lets it start now; nothing where there is none.
local function next_resumed()
  if not ids then ids = read_kept() end
  while ids[n + 1] do
    n = n + 1
    local band, group = spot_of(queue, ids[n])
    local start = group_ready(group, 1)
    if start <= time + AHEAD and has_slots(group, 1) then
      come_from(band, group)
      list = group == '' and band_list(queue, band) or group_list(queue, band, group)
      return ids[n], start
    end
  end
  if n > 0 then come_from(1, '') end
end

-- Takes one out that was claimed, or is not there any more: its slot is free, and a lease takes it at once.
local function forget(run_id)
  redis.call('ZREM', kept, run_id)
  more_slots(1)
  if redis.pcall('LREM', list, 1, run_id) == 1 and ruled.group ~= '' then
    redis.call('HINCRBY', fair_of(queue), 'n' .. ruled.band_text, -1)
  end
end

local resumed = { next = next_resumed, forget = forget }

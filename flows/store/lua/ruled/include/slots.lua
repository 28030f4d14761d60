-- The slots of the queue: how many are free, and how many each group holds. A slot is held by a lease, an id in
-- `processing`. Where a job holds more than one slot, or one of its group, that stands in `flows:slots:<queue>`, and is
-- summed up in `flows:load:<queue>`: of each group all that it holds, of '' what jobs hold beyond one slot each.
--@ exports: free_slots holds_all more_slots wait_for_slots read_loads slots_of has_slots hold_slots write_slots share_slots
--@ needs: queue
--@ include: keys rules spots fair place sharing type held_in many_fields

local rule = RULES[queue]
local load_key = flows_key('load', queue)
local UNLIMITED = 1 / 0
if rule.slots > 0 or rule.per_group > 0 then
  expect('hash', load_key)
  expect('hash', flows_key('slots', queue))
end
if rule.sharing then expect('hash', flows_key('sharing', rule.sharing)) end

local most, free, shared
-- How many slots were too few for the next job of the queue, nothing where it has not come to that; and whether others
-- of its jobs got some.
local lacks, served

-- Returns how many slots of the queue are free.
local function free_slots()
  if free then return free end
  if rule.sharing then
    shared = read_sharing(queue)
    most, free = shared.most, free_before(shared)
  elseif rule.slots > 0 then
    most = fair_number('slots') or rule.slots
    free = most - held_in(queue)
  else
    most, free = UNLIMITED, UNLIMITED
  end
  return free
end

-- Returns whether the queue holds all slots that there are: only it can give one back.
local function holds_all()
  return free_slots() < 1 and (not shared or shared.own >= shared.most)
end

-- Notes that so many more are free, which a run has kept: all queues of its workflow share their slots.
local function more_slots(n)
  free = free_slots() + n
  shared.free = shared.free + n
end

-- Notes that so many slots are too few for the next job.
local function wait_for_slots(need) lacks = need end

-- What groups hold, and may hold at most.
local loads, most_of = {}, {}

-- Returns the numbers that were set for these groups, if some were set for any.
local function set_for(groups)
  if not fair_number('slots_per_group:') then return {} end
  local names = {}
  for i = 1, #groups do names[i] = 'slots_per_group:' .. groups[i] end
  return redis.call('HMGET', fair_of(queue), unpack(names))
end

-- Reads that of many groups.
local function read_loads(groups)
  if rule.per_group <= 0 then return end
  local missing = {}
  for i = 1, #groups do
    local group = groups[i]
    if group ~= '' and not loads[group] then missing[#missing + 1] = group end
  end
  if #missing == 0 then return end
  local held, set = redis.call('HMGET', load_key, unpack(missing)), set_for(missing)
  local of_all = fair_number('slots_per_group') or rule.per_group
  for i = 1, #missing do
    local group = missing[i]
    loads[group] = held[i] and tonumber(held[i]) or 0
    most_of[group] = set[i] and tonumber(set[i]) or of_all
  end
end

-- Whether jobs of this group count for it; those of no group do not.
local function is_counted(group)
  if rule.per_group <= 0 or group == '' then return false end
  if not loads[group] then read_loads({ group }) end
  return true
end

-- Returns how many slots a job takes: a cost over all that there are counts as all of them.
local function slots_of(group, cost)
  if cost == 1 then return 1 end
  free_slots()
  if is_counted(group) then cost = math.min(cost, most_of[group]) end
  return math.max(1, math.min(cost, most))
end

-- Returns whether a group has slots for a job of this cost.
local function has_slots(group, cost)
  if cost == 1 and loads[group] then return loads[group] < most_of[group] end
  return not is_counted(group) or loads[group] + slots_of(group, cost) <= most_of[group]
end

local held, changed, beyond = {}, {}, 0

-- Gives a job its slots.
local function hold_slots(job_id, group, cost)
  local taken, load = cost == 1 and 1 or slots_of(group, cost), loads[group]
  free, served = free - taken, true
  if shared then shared.free, shared.own = shared.free - taken, shared.own + taken end
  if load then
    held[#held + 1], held[#held + 2] = job_id, (taken == 1 and '1 ' or string.format('%d ', taken)) .. group
    loads[group] = load + taken
    changed[group] = true
  elseif taken > 1 and most < UNLIMITED then
    held[#held + 1], held[#held + 2] = job_id, string.format('%d ', taken)
  else
    return
  end
  beyond = beyond + taken - 1
end

local function write_slots()
  if #held == 0 then return end
  set_fields(flows_key('slots', queue), held)
  local fields = {}
  for group in pairs(changed) do fields[#fields + 1], fields[#fields + 2] = group, loads[group] end
  if #fields > 0 then set_fields(load_key, fields) end
  if beyond > 0 then redis.call('HINCRBY', load_key, '', beyond) end
end

-- Lets other queues have what this one leaves of the slots that they share.
local function share_slots()
  if not rule.sharing then return end
  free_slots()
  if lacks and waits(queue) > 0 then note_waiting(shared, lacks, served) else note_done(shared) end
  pass_slots_on(shared, shared.free)
end

-- What the rules of the queue say of one job at its claim, and of the turn at its end. `ruled` also keeps where the turn
-- stands. It looks at so many ids and groups more. The job that is just being claimed comes from a list of this band and
-- group, starts at `start`, and costs `cost`; where it cannot start, its group may at `park`. Nothing of the queue may
-- start now where it is `blocked`, until `ready` if that is known; it is `idle` where no list has a job that may.
--@ exports: ruled
--@ needs: queue
--@ include: clock rules spots place stale type window limits slots

-- All that a turn writes to is checked before its first write.
expect_place_of(queue)

local ruled = { looks = 1000, band = 1, band_text = '1', group = '', start = time, cost = 1, park = nil }

local rule = RULES[queue]
-- Where in an answer stands in how many ms a job starts.
local START_IN = 8
-- How many fields a claim reads before those that `rule_fields` returns.
local BEFORE = 5
-- Whether anything is counted by the costs of jobs.
local COSTLY = #rule.limits > 0 or rule.slots > 0 or rule.per_group > 0 or rule.group or rule.shares

local priority_at, group_at, fields_end

-- Returns the fields that a claim has to read: one in whose place the answer says when the job starts, those of the job
-- class, and others that the rules need.
local function rule_fields(fields)
  local read = { COSTLY and '_cost' or '_priority', unpack(fields) }
  fields_end = #read
  if rule.priorities > 1 then
    priority_at = BEFORE + 1
    if COSTLY then
      read[#read + 1] = '_priority'
      priority_at = BEFORE + #read
    end
  end
  if not rule.group then return read end
  for i = 2, fields_end do -- mostly the job class has the field
    if read[i] == rule.group then group_at = BEFORE + i end
  end
  if not group_at then
    read[#read + 1] = rule.group
    group_at = BEFORE + #read
  end
  return read
end

-- Turns a job that was claimed with these fields into what the worker gets.
local function give_start(job)
  for i = #job, START_IN + fields_end, -1 do job[i] = nil end
  job[START_IN] = ruled.start - time
end

-- Returns the word for a job that waits in another list of the queue than its hash says; nothing where it is gone, or
-- where something else stands in the place of its group's list.
local function elsewhere(member, key, band, group)
  if redis.call('EXISTS', key) == 0 then return nil end
  if group ~= '' and conflict('list', group_list(queue, band, group)) then return nil end
  if was_stale(queue, member) then return 'left' end
  put(queue, member)
  ruled.looks = ruled.looks - 2
  return 'moved'
end

-- Returns the word for a job that does not wait here.
local function misplaced(member, key, job)
  local same_band = not priority_at or (job[priority_at] or '1') == ruled.band_text
  if same_band and ((group_at and job[group_at]) or '') == ruled.group then return nil end
  local band, group = place_of(queue, priority_at and job[priority_at], group_at and job[group_at])
  if band ~= ruled.band or group ~= ruled.group then return elsewhere(member, key, band, group) end
end

-- Returns 'heavy' where a job of this cost has to wait, though one of the cost 1 has not.
local function unfit_by_cost(cost)
  local of_queue, of_group = queue_ready(cost), group_ready(ruled.group, cost)
  ruled.start = math.max(of_queue, of_group)
  if of_queue > time + AHEAD then
    ruled.blocked, ruled.ready = true, of_queue - AHEAD
    return 'heavy'
  end
  local slots = slots_of(ruled.group, cost)
  if free_slots() < slots then
    ruled.blocked = true
    wait_for_slots(slots)
    return 'heavy'
  end
  ruled.park = has_slots(ruled.group, cost) and of_group - AHEAD or 1 / 0
  if ruled.park > time then return 'heavy' end
end

-- Returns the word where the rules do not let this job start now, else nothing.
local function unfit(member, key, job)
  local word = (priority_at or group_at) and misplaced(member, key, job)
  if word then return word end
  local cost = COSTLY and job[BEFORE + 1] and tonumber(job[BEFORE + 1]) or 1
  ruled.cost = cost
  if cost ~= 1 then return unfit_by_cost(cost) end
end

-- Returns how many still wait, 0 where nothing more may start now: nobody is woken for them.
local function startable() return (ruled.blocked or ruled.idle) and 0 or waits(queue) end

-- Returns when the next job may start, if the first delayed one is due at `due`; nothing where that is not known. One
-- that is due while no slot is free is looked at all the same: only a queue in which jobs wait is told of shared slots.
local function soonest_start(due)
  if ruled.blocked then return ruled.ready or due end
  local parked = rule.group and tonumber(redis.call('ZRANGE', parked_of(queue), 0, 0, 'WITHSCORES')[2])
  if parked and parked < 1 / 0 and (not due or parked < due) then return math.ceil(parked) end
  return due
end

-- Returns what a turn keeps of its answer, should it be lost: when each job starts.
local function kept_starts(claimed)
  local starts = {}
  for i, job in ipairs(claimed) do starts[i] = time + job[START_IN] end
  return starts
end

local function start_again(job, start) table.insert(job, START_IN, math.max(0, start - time)) end

ruled.fields, ruled.given, ruled.unfit, ruled.left = rule_fields, give_start, unfit, startable
ruled.soonest, ruled.kept, ruled.again, ruled.paused = soonest_start, kept_starts, start_again, share_slots

-- Reconciles the groups of a queue: each that has jobs takes part in its ring or is parked, what is parked comes back,
-- and how many jobs wait in groups is counted anew.
--@ exports: reconcile_parked reconcile_counts check_group stands_elsewhere
--@ include: reconcile_step clock rules spots keys type wake cut

-- So many groups are counted in one step; where there are more, they are walked through, and count if nothing has come
-- or gone meanwhile.
local MOST_COUNTED = 5000

local function may_take_part(job_queue, band, group)
  redis.call('ZADD', ring_of(job_queue, band), 'NX', 0, group)
  wake(job_queue)
end

-- Lets a parked group go on that nothing would wake: one that waits for a slot, and whose jobs hold none.
local function check_parked(job_queue, name, score)
  local band, group = string.match(name, '^(%d+)/(.+)$')
  local jobs = band and redis.pcall('LLEN', group_list(job_queue, band, group))
  if jobs and type(jobs) ~= 'number' then return end
  if not jobs or (jobs == 0 and (score == 'inf' or tonumber(score) <= time)) then
    return redis.call('ZREM', parked_of(job_queue), name)
  end
  if score ~= 'inf' or (tonumber(redis.call('HGET', flows_key('load', job_queue), group)) or 0) > 0 then return end
  redis.call('ZREM', parked_of(job_queue), name)
  may_take_part(job_queue, band, group)
  report(job_queue, '', 'ring')
end

local function reconcile_parked(job_queue, cursor)
  local key = parked_of(job_queue)
  local wrong = conflict('zset', key) or conflict('hash', flows_key('load', job_queue))
  if wrong then return report(job_queue, '', 'error ' .. wrong) end
  local page = redis.call('ZSCAN', key, cursor == '' and '0' or cursor, 'COUNT', PAGE)
  for i = 1, #page[2], 2 do
    try(job_queue, '', check_parked, job_queue, page[2][i], page[2][i + 1])
  end
  spend(#page[2] / 4 + 1)
  return page[1] ~= '0' and page[1] or nil
end

-- Returns how many jobs wait in a list of a band's groups.
local function in_groups(job_queue, band, groups)
  local n = 0
  for _, group in ipairs(groups) do
    local jobs = group ~= '' and redis.pcall('LLEN', group_list(job_queue, band, group))
    n = n + (type(jobs) == 'number' and jobs or 0)
  end
  return n
end

local function set_count(job_queue, band, before, n)
  if before == n then return end
  redis.call('HSET', fair_of(job_queue), 'n' .. band, n)
  report(job_queue, '', 'counted')
end

local function count_of(job_queue, band) return tonumber(redis.call('HGET', fair_of(job_queue), 'n' .. band)) or 0 end

-- Returns the groups of a band that take part or are parked.
local function groups_of(job_queue, band)
  local names, prefix = redis.call('ZRANGE', ring_of(job_queue, band), 0, -1), band .. '/'
  local known = {}
  for _, group in ipairs(names) do known[group] = true end
  for _, name in ipairs(redis.call('ZRANGE', parked_of(job_queue), 0, -1)) do
    local group = string.sub(name, 1, #prefix) == prefix and string.sub(name, #prefix + 1)
    if group and not known[group] then names[#names + 1] = group end
  end
  return names
end

-- Walks through part of a band's groups, first of those that take part. Returns the cursor of the next ones.
local function walk_groups(job_queue, band, set, from, n, before)
  local key = set == 'ring' and ring_of(job_queue, band) or parked_of(job_queue)
  local page = redis.call('ZSCAN', key, from, 'COUNT', PAGE)
  local groups = {}
  for i = 1, #page[2], 2 do
    local group = page[2][i]
    if set ~= 'ring' then
      group = string.match(group, '^' .. band .. '/(.+)$')
      if group and redis.call('ZSCORE', ring_of(job_queue, band), group) then group = nil end
    end
    groups[#groups + 1] = group
  end
  n = n + in_groups(job_queue, band, groups)
  spend(#page[2] / 4 + 1)
  if page[1] == '0' then
    if set == 'ring' then return table.concat({ band, 'parked', 0, n, before }, ' ') end
    if count_of(job_queue, band) == before then set_count(job_queue, band, before, n) end
    return band + 1 .. ' - 0 0 0'
  end
  return table.concat({ band, set, page[1], n, before }, ' ')
end

-- The cursor: band, where in its walk, how many were counted, and how many there were to be when it began.
local function reconcile_counts(job_queue, cursor)
  local rule = RULES[job_queue]
  if not rule.group then return nil end
  local wrong = conflict('hash', fair_of(job_queue)) or conflict('zset', parked_of(job_queue))
  local band, set, from, n, before = string.match(cursor, '^(%d+) (%S+) (%d+) (%d+) (%-?%d+)$')
  band = tonumber(band) or 1
  if band > rule.priorities then return nil end
  wrong = wrong or conflict('zset', ring_of(job_queue, band))
  if wrong then return report(job_queue, '', 'error ' .. wrong) end
  if set and set ~= '-' then return walk_groups(job_queue, band, set, from, tonumber(n), tonumber(before)) end
  before = count_of(job_queue, band)
  local size = redis.call('ZCARD', ring_of(job_queue, band)) + redis.call('ZCARD', parked_of(job_queue))
  if size > MOST_COUNTED then return walk_groups(job_queue, band, 'ring', '0', 0, before) end
  set_count(job_queue, band, before, in_groups(job_queue, band, groups_of(job_queue, band)))
  spend(size / 15 + 1)
  return band + 1 .. ' - 0 0 0'
end

-- Lets the group of a job that waits take part, where it neither does nor is parked: its jobs would never come.
local function check_group(job)
  local rule = RULES[job.queue]
  if not (rule and rule.group) then return end
  local band, group = spot_of(job.queue, job.member)
  if group == '' then return end
  spend(0.5)
  if redis.pcall('LLEN', group_list(job.queue, band, group)) == 0 then return end
  if redis.pcall('ZSCORE', ring_of(job.queue, band), group) then return end
  if redis.pcall('ZSCORE', parked_of(job.queue), band .. '/' .. group) then return end
  may_take_part(job.queue, band, group)
  report(job.queue, job.id, 'ring')
end

-- Returns whether a job may stand in the first list, into which workers that know no rules put it.
local function stands_elsewhere(job)
  local rule, list = RULES[job.queue], band_list(job.queue, 1)
  if not rule or rule.flat then return false end
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' or length > SHORT then return true end
  spend(length / 500)
  return redis.call('LPOS', list, job.member) and true
end

-- Reconciles the hashes of jobs: whether each stands where its state says, and lives as long as it should.
--@ exports: reconcile_jobs
--@ needs: reconcile ns root first
--@ include: reconcile_step reconcile_groups take_out cut waiting member life ending child_result place wake clock keys remember
--@ include: status settings remember

local PREFIX = ns .. 'job:'

-- Jobs that wait, by their list: whether they stand in it is checked for all of them at once.
local waiting_jobs, waiting_lists = {}, {}

-- Returns flow and id of a key, or nothing where it is not the key of a job of ours.
local function parts_of(key)
  local flow, id = split(string.sub(key, #PREFIX + 1))
  if not flow or #id ~= 36 or not string.match(id, '^%x+%-%x+%-%x+%-%x+%-%x+$') then return nil end
  if flow == root or (string.find(flow, ':', 1, true) and has_queue(flow)) then return flow, id end
end

local function home_of(flow) return flow == root and first or flow end

local function may_be_in(flow, queue)
  if flow ~= root then return queue == flow end
  return not string.find(queue, ':', 1, true) and has_queue(queue)
end

-- Fails a job that no worker would ever take, whatever its state says, in a queue in which it can be retried.
local function fail_malformed(job)
  local queue = home_of(job.flow)
  local why = failure('MalformedJob', 'its hash names a state or a queue that does not exist', queue, 0)
  end_job(job.flow, job.id, job.key, queue, 'waiting', 'failed', job.lookups, job.parent, failed_result(job.id, why),
    '_queue', queue, '_error', why)
  redis.call('PEXPIRE', flows_key('pending', job.flow .. ':' .. job.id), kept_failed)
  report(queue, job.id, 'malformed')
end

local function awaited(job)
  return job.parent and redis.pcall('SISMEMBER', flows_key('pending', job.parent), job.id) == 1
end

-- Repairs the TTL of a job on its way: a child has none while its parent waits for it; one whose parent has ended gets
-- its own, without a report.
local function check_life(job)
  local life = redis.call('PTTL', job.key)
  if job.status == 'children' then
    if life == -1 then return end
    redis.call('PERSIST', job.key)
  elseif life ~= -1 or tonumber(ttl) <= 0 or awaited(job) then
    return
  else
    local due = job.status == 'delayed' and tonumber(redis.call('ZSCORE', queue_key(job.queue, 'delayed'), job.member))
    life = tonumber(ttl) + math.max(0, (due or time) - time)
    if job.status == 'processing' then life = math.max(life, 2 * longest) end
    redis.call('PEXPIRE', job.key, life)
    refresh_lookups(job.flow, job.lookups, life)
  end
  if not job.parent or job.status == 'children' then report(job.queue, job.id, 'lifetime') end
end

-- Repairs the TTL of an ended job; a cancelled parent has none until `cascade` has cancelled all of its children.
local function check_retention(job)
  if redis.call('PTTL', job.key) ~= -1 then return end
  local me = job.flow .. ':' .. job.id
  if redis.pcall('HEXISTS', flows_key('cancelling', root), me) == 1 then return end
  redis.call('PEXPIRE', job.key, kept_of(job.status))
  report(job.queue or home_of(job.flow), job.id, 'lifetime')
end

-- Puts a job back into its place. One in `processing` gets a lease: a worker that still has the job renews it, else the
-- job is rescued when it ends.
local function check_place(job)
  local place = queue_key(job.queue, job.status)
  if redis.call('ZSCORE', place, job.member) then return end
  redis.call('ZADD', place, job.status == 'processing' and time + longest or time, job.member)
  if job.status == 'delayed' then wake(job.queue) end
  report(job.queue, job.id, 'placed_' .. job.status)
end

-- Returns whether a job that waits belongs into its list: not a child that is written but not published, or forgotten.
local function belongs_in_list(job)
  if not job.parent then return true end
  return redis.call('EXISTS', flows_key('building', job.parent)) == 0 and awaited(job)
end

-- Has lookup lists looked at in which the job stands first, and others behind it: some of those may be gone.
local function check_lookups(job)
  if not job.lookups then return end
  each_lookup(job.flow, job.lookups, function(list, own)
    if own then return end
    spend(0.2)
    local ids = redis.pcall('LRANGE', list, 0, 1)
    if ids[1] == job.id and ids[2] then prune_later(job.flow, list, 0) end
  end)
end

local function check_job(flow, id, key)
  local found = redis.call('HMGET', key, '_status', '_queue', '_lookups', '_parent')
  local job = {
    flow = flow, id = id, key = key, status = found[1] or 'waiting', lookups = found[3], parent = found[4],
    queue = found[2] or (not found[1] and home_of(flow)), fresh = not found[2],
  }
  spend(job.parent and 1.5 or 1)
  check_lookups(job)
  if is_state(job.status) and not PLACES[job.status] then return check_retention(job) end
  if not is_state(job.status) or not job.queue or not may_be_in(flow, job.queue) then return fail_malformed(job) end
  job.member = member_of(job.queue, flow, id)
  if job.status ~= 'waiting' then
    check_place(job)
  elseif belongs_in_list(job) then
    local list = list_for(job.queue, job.member)
    if not waiting_jobs[list] then
      waiting_jobs[list] = {}
      waiting_lists[#waiting_lists + 1] = list
    end
    table.insert(waiting_jobs[list], job)
  end
  check_life(job)
end

-- Returns whether a list holds the id; also true where it is too long to search, or no list.
local function may_hold(list, id)
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' or length > SHORT then return true end
  spend(length / 500)
  return redis.call('LPOS', list, id) and true
end

-- A step searches other lists for so many jobs; each further job counts as found there.
local far_searches = 25

-- Returns whether a job that was never claimed waits in the first queue of another version of the flow.
local function waits_in_other_list(job)
  if not job.fresh or job.flow ~= root then return false end
  far_searches = far_searches - 1
  for _, field in ipairs(redis.call('HKEYS', reconcile)) do
    local other = string.match(field, '^first:(.+)$')
    local member = other and other ~= job.queue and member_of(other, root, job.id)
    if member and (far_searches < 0 or may_hold(list_for(other, member), member)) then return true end
  end
  return false
end

local function push_again(job)
  if waits_in_other_list(job) or stands_elsewhere(job) then return end
  put(job.queue, job.member)
  report(job.queue, job.id, 'placed_waiting')
end

-- Returns the set of ids in a list of `length`, by one pass over it.
local function found_in(list, length)
  local there = {}
  for start = 0, length - 1, 1000 do
    for _, id in ipairs(redis.call('LRANGE', list, start, start + 999)) do there[id] = true end
  end
  return there
end

-- Checks whether jobs stand in the list, and pushes the missing ones again.
local function check_list(list, jobs, length)
  local there = {}
  if #jobs < MANY then
    for _, job in ipairs(jobs) do there[job.member] = redis.call('LPOS', list, job.member) end
  else
    there = found_in(list, length)
  end
  for _, job in ipairs(jobs) do
    if not there[job.member] then try(job.queue, job.id, push_again, job) end
    there[job.member] = true -- SCAN may name a key twice
  end
end

-- A step may spend so much on lists; more only where the first list takes more.
local MOST_IN_LISTS = 300

-- Returns the keys of jobs whose lists are left to the next step.
local function check_lists()
  local spent, left = 0, {}
  for _, list in ipairs(waiting_lists) do
    local jobs, length = waiting_jobs[list], redis.pcall('LLEN', list)
    try(jobs[1].queue, jobs[1].id, check_group, jobs[1])
    if type(length) == 'number' and length <= SHORT then
      local cost = length / 30 * math.min(1, #jobs / MANY)
      if spent > 0 and spent + cost > MOST_IN_LISTS then
        for _, job in ipairs(jobs) do left[#left + 1] = job.key end
      else
        spent = spent + cost
        spend(cost)
        check_list(list, jobs, length)
      end
    end
  end
  waiting_jobs, waiting_lists = {}, {}
  return left
end

local function check_key(key)
  local flow, id = parts_of(key)
  if flow then try(home_of(flow), id, check_job, flow, id, key) end
end

-- Reconciles jobs from a cursor on: that of SCAN, or `end`, and the keys that were left to this step.
local function reconcile_jobs(cursor)
  local scan, left = string.match(cursor, '^([^\n]*)\n?(.*)$')
  for key in string.gmatch(left, '[^\n]+') do check_key(key) end
  scan = scan == '' and '0' or scan
  while scan ~= 'end' and checks < MOST_CHECKS do
    local page = redis.call('SCAN', scan, 'MATCH', PREFIX .. '*', 'COUNT', PAGE, 'TYPE', 'hash')
    spend(3)
    scan = page[1] == '0' and 'end' or page[1]
    for _, key in ipairs(page[2]) do check_key(key) end
  end
  left = check_lists()
  if #left > 0 then return scan .. '\n' .. table.concat(left, '\n') end
  return scan ~= 'end' and scan or nil
end

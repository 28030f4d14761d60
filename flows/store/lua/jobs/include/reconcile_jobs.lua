-- Reconciles the hashes of jobs: whether each stands where its state says, and lives as long as it should.
--@ exports: reconcile_jobs
--@ needs: reconcile ns root first ttl kept_failed
--@ include: reconcile_step take_out life ending child_result wake clock keys status

local PREFIX = ns .. 'job:'

-- Jobs that wait, by their queue: whether they stand in its list is looked up for all of them at once.
local waiting_jobs, waiting_queues = {}, {}

-- Returns the flow and the id where the key is that of a job of ours.
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

-- No worker would ever take it: whatever it says that it is, it waits for nothing. It fails where it can be given a new
-- life.
local function fail_malformed(job)
  local queue = home_of(job.flow)
  local why = failure('MalformedJob', 'its hash names a state or a queue that does not exist', queue, 0)
  end_job(job.flow, job.id, job.key, 'waiting', 'failed', job.lookups, job.parent, failed_result(job.id, why),
    '_queue', queue, '_error', why)
  redis.call('PEXPIRE', flows_key('pending', job.flow .. ':' .. job.id), kept_failed)
  report(queue, job.id, 'malformed')
end

local function awaited(job)
  return job.parent and redis.pcall('SISMEMBER', flows_key('pending', job.parent), job.id) == 1
end

-- A child has no time to live while its parent waits for it; one whose parent has ended gets its own without a word.
local function check_life(job)
  local life = redis.call('PTTL', job.key)
  if job.status == 'children' then
    if life == -1 then return end
    redis.call('PERSIST', job.key)
  elseif life ~= -1 or tonumber(ttl) <= 0 or awaited(job) then
    return
  else
    local due = job.status == 'delayed' and tonumber(redis.call('ZSCORE', queue_key(job.queue, 'delayed'), job.id))
    life = tonumber(ttl) + math.max(0, (due or time) - time)
    redis.call('PEXPIRE', job.key, life)
    refresh_lookups(job.flow, job.lookups, life)
  end
  if not job.parent or job.status == 'children' then report(job.queue, job.id, 'lifetime') end
end

-- The hash of a parent that was cancelled stays until `cascade` has come to all of its children.
local function check_retention(job)
  if redis.call('PTTL', job.key) ~= -1 then return end
  local me = job.flow .. ':' .. job.id
  if redis.pcall('HEXISTS', flows_key('cancelling', root), me) == 1 then return end
  redis.call('PEXPIRE', job.key, KEPT[job.status])
  report(job.queue or home_of(job.flow), job.id, 'lifetime')
end

-- A lease begins, which its worker renews if it still has the job; else the job is taken back when it ends.
local function check_place(job)
  local place = queue_key(job.queue, job.status)
  if redis.call('ZSCORE', place, job.id) then return end
  redis.call('ZADD', place, job.status == 'processing' and time + longest or time, job.id)
  if job.status == 'delayed' then wake(job.queue) end
  report(job.queue, job.id, 'placed_' .. job.status)
end

-- A child that is written but not let out yet, or whose parent has forgotten it, belongs into no list.
local function belongs_in_list(job)
  if not job.parent then return true end
  return redis.call('EXISTS', flows_key('building', job.parent)) == 0 and awaited(job)
end

local function look_at_job(flow, id, key)
  local found = redis.call('HMGET', key, '_status', '_queue', '_lookups', '_parent')
  local job = {
    flow = flow, id = id, key = key, status = found[1] or 'waiting', lookups = found[3], parent = found[4],
    queue = found[2] or (not found[1] and home_of(flow)), fresh = not found[2],
  }
  spend(job.parent and 1.5 or 1)
  if is_state(job.status) and not PLACES[job.status] then return check_retention(job) end
  if not is_state(job.status) or not job.queue or not may_be_in(flow, job.queue) then return fail_malformed(job) end
  if job.status ~= 'waiting' then
    check_place(job)
  elseif belongs_in_list(job) then
    local queue = job.queue
    if not waiting_jobs[queue] then
      waiting_jobs[queue] = {}
      waiting_queues[#waiting_queues + 1] = queue
    end
    table.insert(waiting_jobs[queue], job)
  end
  check_life(job)
end

-- Whether a list holds the id; also where it is too long to be looked through, or no list.
local function may_hold(list, id)
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' or length > SHORT then return true end
  spend(length / 500)
  return redis.call('LPOS', list, id) and true
end

-- So many jobs of a step are looked for in other lists too; what is too much for it may stand anywhere.
local far_looks = 25

-- One that was never claimed may wait in what is the first queue of another version of the flow.
local function waits_elsewhere(job)
  if not job.fresh or job.flow ~= root then return false end
  far_looks = far_looks - 1
  for _, field in ipairs(redis.call('HKEYS', reconcile)) do
    local other = string.match(field, '^first:(.+)$')
    if other and other ~= job.queue and (far_looks < 0 or may_hold(queue_key(other, 'waiting'), job.id)) then
      return true
    end
  end
  return false
end

local function push_again(job)
  if waits_elsewhere(job) then return end
  redis.call('RPUSH', queue_key(job.queue, 'waiting'), job.id)
  wake(job.queue)
  report(job.queue, job.id, 'placed_waiting')
end

-- Returns which ids stand in a list of `length`, by one pass over it.
local function found_in(list, length)
  local there = {}
  for start = 0, length - 1, 1000 do
    for _, id in ipairs(redis.call('LRANGE', list, start, start + 999)) do there[id] = true end
  end
  return there
end

-- Looks for the jobs of one queue in its list.
local function look_in_list(queue, jobs, length)
  local list, there = queue_key(queue, 'waiting'), {}
  if #jobs < MANY then
    for _, job in ipairs(jobs) do there[job.id] = redis.call('LPOS', list, job.id) end
  else
    there = found_in(list, length)
  end
  for _, job in ipairs(jobs) do
    if not there[job.id] then try(queue, job.id, push_again, job) end
    there[job.id] = true -- SCAN may name a key twice
  end
end

-- A step may spend so much on lists; on the first one more, if it has to.
local MOST_IN_LISTS = 300

-- Returns the keys of jobs whose lists are left to the next step.
local function look_in_lists()
  local spent, left = 0, {}
  for _, queue in ipairs(waiting_queues) do
    local jobs, length = waiting_jobs[queue], redis.pcall('LLEN', queue_key(queue, 'waiting'))
    if type(length) == 'number' and length <= SHORT then
      local cost = length / 30 * math.min(1, #jobs / MANY)
      if spent > 0 and spent + cost > MOST_IN_LISTS then
        for _, job in ipairs(jobs) do left[#left + 1] = job.key end
      else
        spent = spent + cost
        spend(cost)
        look_in_list(queue, jobs, length)
      end
    end
  end
  waiting_jobs, waiting_queues = {}, {}
  return left
end

local function look_at_key(key)
  local flow, id = parts_of(key)
  if flow then try(home_of(flow), id, look_at_job, flow, id, key) end
end

-- The cursor: that of SCAN, or `end`, and the keys that were left to this step.
local function reconcile_jobs(cursor)
  local scan, left = string.match(cursor, '^([^\n]*)\n?(.*)$')
  for key in string.gmatch(left, '[^\n]+') do look_at_key(key) end
  scan = scan == '' and '0' or scan
  while scan ~= 'end' and looks < MOST_LOOKS do
    local page = redis.call('SCAN', scan, 'MATCH', PREFIX .. '*', 'COUNT', PAGE, 'TYPE', 'hash')
    spend(3)
    scan = page[1] == '0' and 'end' or page[1]
    for _, key in ipairs(page[2]) do look_at_key(key) end
  end
  left = look_in_lists()
  if #left > 0 then return scan .. '\n' .. table.concat(left, '\n') end
  return scan ~= 'end' and scan or nil
end

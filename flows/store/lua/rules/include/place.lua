-- Decides where a job stands that waits in a queue: in one list, or where the queue has rules in that of its priority,
-- or of its group there. What the job's hash says decides, so the hash is written first.
--@ exports: place_conflict expect_place_of put put_many put_first waits
--@ include: type wake rules spots push

-- Calls fn(kind, key) for each key that placing a job in the queue may write to, but for lists of groups.
local function each_key(job_queue, fn)
  local rule = RULES[job_queue]
  local bands = rule and rule.priorities or 1
  for band = 1, bands do
    fn('list', band_list(job_queue, band))
    if rule and rule.group then fn('zset', ring_of(job_queue, band)) end
  end
  if not (rule and rule.group) then return end
  fn('hash', fair_of(job_queue))
  fn('zset', parked_of(job_queue))
end

-- Returns a sentence where something else stands in such a place.
local function place_conflict(job_queue)
  local wrong
  each_key(job_queue, function(kind, key) wrong = wrong or conflict(kind, key) end)
  return wrong
end

-- Stops the script there, before anything is written.
local function expect_place_of(job_queue) each_key(job_queue, expect) end

local function put_ruled(at_head, job_queue, ids)
  if #ids == 1 then
    local band, group = spot_of(job_queue, ids[1])
    return put_at(job_queue, band, group, ids, at_head)
  end
  local bands = {}
  for _, job_id in ipairs(ids) do
    local band, group = spot_of(job_queue, job_id)
    if not bands[band] then bands[band] = {} end
    local list = bands[band][group]
    if list then list[#list + 1] = job_id else bands[band][group] = { job_id } end
  end
  for band, by_group in pairs(bands) do put_in_band(job_queue, band, by_group, at_head) end
end

local function put_by(at_head, job_queue, ids, quietly)
  local rule = RULES[job_queue]
  if not rule or rule.flat then
    redis.call(at_head and 'LPUSH' or 'RPUSH', band_list(job_queue, 1), unpack(ids))
  else
    put_ruled(at_head, job_queue, ids)
  end
  if not quietly then wake(job_queue) end
end

-- Puts jobs behind all that wait like them, in this order, and wakes a worker; `quietly`, where the caller claims next.
local function put_many(job_queue, ids, quietly) put_by(false, job_queue, ids, quietly) end

local function put(job_queue, job_id) put_many(job_queue, { job_id }) end

-- Puts jobs before all that wait like them, the last one first: they have waited already.
local function put_first(job_queue, ids, quietly) put_by(true, job_queue, ids, quietly) end

-- Returns how many ids stand where jobs of the queue wait.
local function waits(job_queue)
  local rule = RULES[job_queue]
  local n = redis.call('LLEN', band_list(job_queue, 1))
  if not rule or rule.flat then return n end
  local names = {}
  for band = 1, rule.priorities do
    names[band] = 'n' .. band
    if band > 1 then n = n + redis.call('LLEN', band_list(job_queue, band)) end
  end
  if not rule.group then return n end
  for _, grouped in ipairs(redis.call('HMGET', fair_of(job_queue), unpack(names))) do
    n = n + math.max(0, tonumber(grouped) or 0)
  end
  return n
end

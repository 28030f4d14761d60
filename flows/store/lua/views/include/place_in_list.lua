-- Finds where a job stands in a waiting list, however long it is: ids stand there by since when they wait, but for those
-- that were put at the head, so it is found by halving.
--@ exports: place_in_list since_of
--@ needs: root first
--@ include: keys

-- How far from its place by time an id is looked for, and how many ids of each end of the list.
local NEAR, FAR, ENDS = 50, 2000, 10000
-- So many ids are asked at one place for since when they wait; those of jobs that are elsewhere by now cannot tell.
local ASKED = 8

-- Returns since when a job is where it is, by its `_attempt`, or by its id where it was never claimed.
local function since_of(job_id, attempt)
  local since = attempt and string.match(attempt, '^%d+ %S+ %d+ %d+ %d+ (%d+)')
  if since and #since < 16 then return tonumber(since) end
  local high, low = string.match(job_id, '^(%x%x%x%x%x%x%x%x)%-(%x%x%x%x)%-7')
  return high and tonumber(high, 16) * 65536 + tonumber(low, 16) or nil
end

-- Returns since when the job waits that stands at a place of the list, or the next one that still waits there.
local function since_at(list, job_flow, job_queue, place)
  -- A hash without `_status`, if there is one, waits where it was created, and its id has the time of that.
  local fresh = (job_queue == first or job_flow ~= root) and 'waiting'
  local first_id
  for i = place, place + ASKED - 1 do
    local job_id = redis.call('LINDEX', list, i)
    if not job_id then break end
    first_id = first_id or job_id
    local job = redis.pcall('HMGET', job_key(job_flow, job_id), '_status', '_queue', '_attempt')
    local waits = not job.err and (job[1] or fresh) == 'waiting' and (job[2] or job_queue) == job_queue
    if waits then return since_of(job_id, job[3]) end
  end
  return first_id and since_of(first_id)
end

-- Returns at which place the jobs begin that wait since this time or later.
local function halve(list, job_flow, job_queue, length, since)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    if (since_at(list, job_flow, job_queue, middle) or since) < since then low = middle + 1 else high = middle end
  end
  return low
end

local function look(list, job_id, around, reach)
  local from = math.max(0, around - reach)
  for i, found in ipairs(redis.call('LRANGE', list, from, around + reach)) do
    if found == job_id then return from + i - 1 end
  end
end

-- Returns how many ids stand before the job, nil where it does not stand in the list; then whether that is known, or
-- only where it should be; then how long the list is.
local function place_in_list(job_flow, job_queue, job_id, since)
  local list = queue_key(job_queue, 'waiting')
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' then return nil, true, 0 end
  if length <= ENDS then return redis.call('LPOS', list, job_id) or nil, true, length end
  local guess = since and halve(list, job_flow, job_queue, length, since) or length
  local place = look(list, job_id, guess, NEAR) or look(list, job_id, guess, FAR)
    or redis.call('LPOS', list, job_id, 'MAXLEN', ENDS) or redis.call('LPOS', list, job_id, 'RANK', -1, 'MAXLEN', ENDS)
  if place then return place, true, length end
  if length <= 2 * ENDS then return nil, true, length end
  return guess, false, length
end

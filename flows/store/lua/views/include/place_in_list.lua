-- Finds where a job stands in a waiting list, however long it is: ids stand there by since when they wait, but for those
-- that were put at the head, so it is found by halving.
--@ exports: place_in_list
--@ include: since waiting member

-- How far from its place by time an id is looked for, and how many ids of each end of the list.
local NEAR, FAR, ENDS = 50, 2000, 10000
-- So many ids are asked at one place for since when they wait; those of jobs that are elsewhere by now cannot tell.
local ASKED = 8

-- Returns since when the job waits that stands at a place of the list, or the next one that still waits there.
local function since_at(list, job_flow, job_queue, place)
  local fallback
  for i = place, place + ASKED - 1 do
    local job_id = redis.call('LINDEX', list, i)
    if not job_id then break end
    local since, waits = since_waiting(job_flow, job_queue, job_id)
    if waits then return since end
    fallback = fallback or since
  end
  return fallback
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

-- Returns the place of a job, nothing where it does not stand in the list; then whether that is known, or only where it
-- should be.
local function place_in(list, job_flow, job_queue, member, since)
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' then return nil, true end
  if length <= ENDS then return redis.call('LPOS', list, member), true end
  local guess = since and halve(list, job_flow, job_queue, length, since) or length
  local place = look(list, member, guess, NEAR) or look(list, member, guess, FAR)
    or redis.call('LPOS', list, member, 'MAXLEN', ENDS) or redis.call('LPOS', list, member, 'RANK', -1, 'MAXLEN', ENDS)
  if place then return place, true end
  if length <= 2 * ENDS then return nil, true end
  return guess, false
end

-- Returns how many ids go before the job, nil where it does not stand where it should; then whether that is exact
-- where it was found, whether it was, and of a job in a group its place there.
local function place_in_list(job_flow, job_queue, job_id, since)
  local member = member_of(job_queue, job_flow, job_id)
  for _, list in ipairs(lists_for(job_queue, member)) do
    local place, found = place_in(list, job_flow, job_queue, member, since)
    if place then
      local ahead, exact, in_group = ahead_of(job_queue, member, place)
      return ahead, exact, found, in_group
    end
  end
  return nil, true, true
end

-- Cuts ids out of a list in which jobs of a queue wait, wherever they stand, or leaves them there: a long list is not
-- searched, and what stays in it is dropped when it comes to be claimed.
--@ exports: SHORT MANY short_length cut
--@ include: stale

-- A longer list is not searched.
local SHORT = 10000
-- From so many ids on, one pass over the list is cheaper than one search for each.
local MANY = 16

-- Returns the length of a list that is short enough to be searched, or 0.
local function short_length(list)
  local length = redis.pcall('LLEN', list)
  return type(length) == 'number' and length <= SHORT and length or 0
end

-- Returns how often the id stood in the list; nothing where that was not searched.
local function cut_one(job_queue, list, job_id)
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' then return nil end
  if length > SHORT then return leave_stale(job_queue, job_id) end
  local found = redis.call('LREM', list, 0, job_id)
  -- A job that has come back stands there twice, and its old id is stale no more.
  for _ = 2, found do was_stale(job_queue, job_id) end
  return found
end

-- Marks those ids between two positions of a list that are in `gone`, by how often each was found.
local function blank(list, gone, from, to)
  local found = 0
  for i, job_id in ipairs(redis.call('LRANGE', list, from, to)) do
    if gone[job_id] then
      redis.call('LSET', list, from + i - 1, '')
      gone[job_id] = gone[job_id] + 1
      found = found + 1
    end
  end
  return found
end

-- Returns how many ids were cut out, and whether the list was searched. Most often they stand side by side.
local function cut(job_queue, list, ids)
  local found, searched = 0, true
  if #ids < MANY or short_length(list) == 0 then
    for _, job_id in ipairs(ids) do
      local times = cut_one(job_queue, list, job_id)
      found, searched = found + (times or 0), searched and times ~= nil
    end
    return found, searched
  end
  local gone = {}
  for _, job_id in ipairs(ids) do gone[job_id] = 0 end
  local start = redis.call('LPOS', list, ids[1])
  if start then found = blank(list, gone, start, start + #ids - 1) end
  if found < #ids then found = found + blank(list, gone, 0, -1) end
  redis.call('LREM', list, 0, '')
  for job_id, times in pairs(gone) do
    for _ = 2, times do was_stale(job_queue, job_id) end
  end
  return found, searched
end

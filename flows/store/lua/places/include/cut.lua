-- Cuts ids out of a list in which jobs of a queue wait, wherever they stand, or leaves them there: a long list is not
-- searched, and what stays in it is dropped when it comes to be claimed.
--@ exports: SHORT MANY short_length ids_searched cut
--@ include: stale

-- A longer list is not searched.
local SHORT = 10000
-- From so many ids on, one pass over the list is cheaper than one search for each.
local MANY = 16
-- From FEW ids on, they are looked for side by side first. A pass takes as long as PASS searches.
local FEW, PASS = 4, 20

local looked_at = 0

-- Returns how many ids of lists this script has looked at, more or less.
local function ids_searched() return looked_at end

-- Returns the length of a list that is short enough to be searched, or 0.
local function short_length(list)
  local length = redis.pcall('LLEN', list)
  return type(length) == 'number' and length <= SHORT and length or 0
end

-- Returns how often the id stood in the list; nothing where that was not searched.
local function cut_one(job_queue, list, job_id)
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' then return nil end
  if length > SHORT then return job_queue and leave_stale(job_queue, job_id) end
  looked_at = looked_at + length
  return redis.call('LREM', list, 0, job_id)
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

-- Cuts ids out of a list that is short enough; adds in `gone` how often each was found.
local function cut_many(list, ids, gone, length)
  local start, found = redis.call('LPOS', list, ids[1]), 0
  if start then found = blank(list, gone, start, start + #ids - 1) end
  local apart = found < #ids
  if apart and #ids >= MANY then blank(list, gone, 0, -1) end
  redis.call('LREM', list, 0, '')
  if apart and #ids < MANY then
    for job_id, times in pairs(gone) do gone[job_id] = times + redis.call('LREM', list, 0, job_id) end
  end
  looked_at = looked_at + length * (2 + (apart and math.min(#ids, PASS) or 0))
end

-- Returns how many ids were cut out, and whether the list was searched. Most often they stand side by side, in this
-- order. Without a queue, nobody counts what is left in the list.
local function cut(job_queue, list, ids)
  local gone, length, found, searched = {}, short_length(list), 0, true
  for _, job_id in ipairs(ids) do gone[job_id] = 0 end
  if #ids >= FEW and length > 0 then
    cut_many(list, ids, gone, length)
  else
    for job_id in pairs(gone) do
      local times = cut_one(job_queue, list, job_id)
      gone[job_id], searched = times or 0, searched and times ~= nil
    end
  end
  for job_id, times in pairs(gone) do
    found = found + times
    -- A job that has come back stands there twice, and its old id is stale no more.
    for _ = 2, job_queue and times or 1 do was_stale(job_queue, job_id) end
  end
  return found, searched
end

-- Takes a job out of the place that its state names, where it is ended from outside.
--@ exports: SHORT MANY PLACES expect_place short_length remove_from remove_many count_stale take_out
--@ include: keys type count settings

-- A longer list is not searched: the id stays in it, and is dropped when it comes to be claimed.
local SHORT = 10000
-- From so many ids on, one pass over the list is cheaper than one search for each.
local MANY = 16

local PLACES = { waiting = 'list', delayed = 'zset', processing = 'zset', children = 'zset' }

local function expect_place(queue, status)
  if PLACES[status] then expect(PLACES[status], queue_key(queue, status)) end
end

-- Returns the length of a list that is short enough to be searched, or 0.
local function short_length(list)
  local length = redis.pcall('LLEN', list)
  return type(length) == 'number' and length <= SHORT and length or 0
end

local function remove_from(list, job_id)
  if short_length(list) > 0 then redis.call('LREM', list, 0, job_id) end
end

-- Counts ids that stay in the waiting list of a queue, if it is too long to be searched.
local function count_stale(job_queue, ids)
  local length = redis.pcall('LLEN', queue_key(job_queue, 'waiting'))
  if type(length) == 'number' and length > SHORT then count(job_queue, 'stale', ids) end
end

-- Marks those ids between two positions of a list that are in `gone`; returns how many there were.
local function blank(list, gone, from, to)
  local found = 0
  for i, job_id in ipairs(redis.call('LRANGE', list, from, to)) do
    if gone[job_id] then
      redis.call('LSET', list, from + i - 1, '')
      found = found + 1
    end
  end
  return found
end

-- Takes many ids out of one list, which has at most SHORT. Most often they stand side by side, in this order.
local function remove_many(list, ids)
  if #ids < MANY then
    for _, job_id in ipairs(ids) do redis.call('LREM', list, 0, job_id) end
    return
  end
  local gone = {}
  for _, job_id in ipairs(ids) do gone[job_id] = true end
  local start = redis.call('LPOS', list, ids[1])
  if not start or blank(list, gone, start, start + #ids - 1) < #ids then blank(list, gone, 0, -1) end
  redis.call('LREM', list, 0, '')
end

-- A place of another type does not hold the job, and is left as it is. The keys of children beside the job's hash stay
-- as long as the job.
local function take_out(job_id, key, status, queue)
  local place = queue_key(queue, status)
  if status == 'waiting' then
    remove_from(place, job_id)
    count_stale(queue, 1)
  else
    redis.pcall('ZREM', place, job_id)
  end
  redis.call('PEXPIRE', key .. ':children:' .. queue, kept_cancelled)
end

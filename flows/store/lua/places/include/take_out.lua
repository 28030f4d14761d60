-- Takes a job out of the place that its state names, where it is ended from outside.
--@ exports: SHORT MANY PLACES expect_place short_length remove_from remove_many take_out
--@ include: keys type stale settings

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

-- Takes an id out of the waiting list of a queue, wherever it stands, or leaves it there: a long list is not searched.
local function remove_one(job_queue, job_id)
  local list = queue_key(job_queue, 'waiting')
  local length = redis.pcall('LLEN', list)
  if type(length) ~= 'number' then return end
  if length > SHORT then return leave_stale(job_queue, job_id) end
  -- A job that has come back stands there twice, and its old id is stale no more.
  for _ = 2, redis.call('LREM', list, 0, job_id) do was_stale(job_queue, job_id) end
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

-- Takes many ids out of the waiting list of a queue, or leaves them there. Most often they stand side by side, in this
-- order.
local function remove_many(job_queue, ids)
  local list = queue_key(job_queue, 'waiting')
  if #ids < MANY or short_length(list) == 0 then
    for _, job_id in ipairs(ids) do remove_one(job_queue, job_id) end
    return
  end
  local gone = {}
  for _, job_id in ipairs(ids) do gone[job_id] = 0 end
  local start = redis.call('LPOS', list, ids[1])
  if not start or blank(list, gone, start, start + #ids - 1) < #ids then blank(list, gone, 0, -1) end
  redis.call('LREM', list, 0, '')
  for job_id, found in pairs(gone) do
    for _ = 2, found do was_stale(job_queue, job_id) end
  end
end

-- A place of another type does not hold the job, and is left as it is. The keys of children beside the job's hash stay
-- as long as the job.
local function take_out(job_id, key, status, queue)
  local place = queue_key(queue, status)
  if status == 'waiting' then
    remove_one(queue, job_id)
  else
    redis.pcall('ZREM', place, job_id)
  end
  redis.call('PEXPIRE', key .. ':children:' .. queue, kept_cancelled)
end

-- Moves the jobs of a queue's former name to the queue, those that wait and those that are delayed: up to 100 each.
-- A job that a worker of an older version has stays with it, and is moved when it waits again.
-- Answers how many were moved, and how many ids are left.
--@ flags: allow-oom
--@ keys: waiting delayed
--@ args: ns now root queue former settings
--@ returns: moved:int left:int
--@ include: type keys life place waiting wake count stale told settings

local MOST = 100

local from_delayed = queue_key(former, 'delayed')

-- Lets a job stand in the queue, if this is where its id stands; ids whose jobs are gone or elsewhere are dropped.
-- A job that was never claimed has neither state nor queue: it waits where it was created.
local function rename(id, status)
  local key = job_key(root, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups')
  if job.err or redis.call('EXISTS', key) == 0 then
    if status ~= 'waiting' or not was_stale(former, id) then count(former, job.err and 'malformed' or 'expired') end
    return false
  end
  if (job[1] or 'waiting') ~= status or (job[2] or (job[1] and '' or former)) ~= former then
    if status == 'waiting' then was_stale(former, id) end
    return false
  end
  redis.call('HSET', key, '_queue', queue)
  count(former, 'moved_out')
  count(queue, 'moved_in')
  told_of(key, status, queue)
  if status == 'waiting' then refresh(root, key, job[3], ttl) end
  return true
end

local function drain_waiting()
  local ids, list = first_waiting(former, MOST)
  local moved = {}
  for _, id in ipairs(ids) do
    if rename(id, 'waiting') then moved[#moved + 1] = id end
  end
  if #ids > 0 then drop_first(former, list, #ids) end
  if #moved > 0 then put_many(queue, moved) end
  return #moved
end

local function drain_delayed()
  local page = redis.call('ZRANGE', from_delayed, 0, MOST - 1, 'WITHSCORES')
  local moved, ids = {}, {}
  for i = 1, #page, 2 do
    ids[#ids + 1] = page[i]
    if rename(page[i], 'delayed') then
      moved[#moved + 1] = page[i + 1]
      moved[#moved + 1] = page[i]
    end
  end
  if #ids > 0 then redis.call('ZREM', from_delayed, unpack(ids)) end
  if #moved > 0 then redis.call('ZADD', delayed, unpack(moved)) end
  return #moved / 2
end

if redis.call('HGET', queue_key(former, 'meta'), 'owner') ~= root then return { 0, 0 } end
expect('list', waiting)
expect_place_of(former)
expect('zset', delayed)
expect('zset', from_delayed)
local moved = drain_waiting() + drain_delayed()
if moved > 0 then wake(queue) end
write_counts()
tell()
return { moved, waits(former) + redis.call('ZCARD', from_delayed) }

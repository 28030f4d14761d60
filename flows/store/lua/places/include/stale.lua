-- Knows which ids stand in a waiting list though their jobs have left it: a long list is not searched for them.
-- How many there are is counted as `stale` in `meta`: a list's length less that is the number of jobs that wait.
--@ exports: leave_stale was_stale
--@ include: keys count

--@ lazy

-- Leaves the id of a job in the list that the job leaves.
local function leave_stale(job_queue, job_id)
  if type(redis.pcall('HINCRBY', queue_key(job_queue, 'stale'), job_id, 1)) == 'number' then
    count(job_queue, 'stale')
  end
end

-- Returns whether this id, which no longer stands in the list, was left there by a job; each time counts for itself.
local function was_stale(job_queue, job_id)
  local key = queue_key(job_queue, 'stale')
  local times = tonumber(redis.pcall('HGET', key, job_id))
  if not times then return false end
  if times > 1 then redis.call('HINCRBY', key, job_id, -1) else redis.call('HDEL', key, job_id) end
  count(job_queue, 'stale', -1)
  return true
end

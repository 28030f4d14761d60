-- Takes a job out of the place that its state names, where it is ended from outside.
--@ exports: PLACES expect_place take_out
--@ include: keys type remove leave settings

local PLACES = { waiting = 'list', delayed = 'zset', processing = 'zset', children = 'zset' }

local function expect_place(queue, status)
  if PLACES[status] then expect(PLACES[status], queue_key(queue, status)) end
end

-- A place of another type does not hold the job, and is left as it is. The keys of children beside the job's hash stay
-- as long as the job.
local function take_out(job_id, key, status, queue)
  if status == 'waiting' then
    remove_many(queue, { job_id })
  elseif status == 'processing' then
    leave(queue, { job_id })
  else
    redis.pcall('ZREM', queue_key(queue, status), job_id)
  end
  redis.call('PEXPIRE', key .. ':children:' .. queue, kept_cancelled)
end

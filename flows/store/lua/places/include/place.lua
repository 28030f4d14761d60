-- Decides where a job stands that waits in a queue: the one file that pushes to the list, and names it.
--@ exports: place_conflict expect_place_of put put_many put_first waits
--@ include: keys type wake

local function list_of(job_queue) return queue_key(job_queue, 'waiting') end

-- Returns a sentence where something else stands in the place of the queue's list.
local function place_conflict(job_queue) return conflict('list', list_of(job_queue)) end

-- Stops the script there, before anything is written.
local function expect_place_of(job_queue) expect('list', list_of(job_queue)) end

-- Puts jobs behind all that wait, in this order, and wakes a worker; `quietly`, where the caller claims next, and wakes
-- another worker for what it leaves.
local function put_many(job_queue, ids, quietly)
  redis.call('RPUSH', list_of(job_queue), unpack(ids))
  if not quietly then wake(job_queue) end
end

local function put(job_queue, job_id) put_many(job_queue, { job_id }) end

-- Puts jobs before all that wait, the last one first: they have waited already.
local function put_first(job_queue, ids, quietly)
  redis.call('LPUSH', list_of(job_queue), unpack(ids))
  if not quietly then wake(job_queue) end
end

-- Returns how many ids stand where jobs of the queue wait.
local function waits(job_queue) return redis.call('LLEN', list_of(job_queue)) end

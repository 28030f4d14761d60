-- Gives a job that waits or is delayed another priority: it waits behind those that have it already.
-- Answers `same` where it has that priority, and the state of a job that has started or ended.
--@ args: ns now flow first id settings priority
--@ returns: answer:word
--@ words: set | same | gone | processing | children | done | failed | cancelled
--@ include: keys take_out remove waiting place count member

local key = job_key(flow, id)
local job = redis.pcall('HMGET', key, '_status', '_queue', '_priority')
if job.err or redis.call('EXISTS', key) == 0 then return 'gone' end
local status, queue, old = job[1] or 'waiting', job[2] or first, job[3]
if status ~= 'waiting' and status ~= 'delayed' then return status end
if (old or '1') == priority then return 'same' end
expect_place(queue, status)
expect_place_of(queue)

-- The hash decides where a job waits.
local function write(value)
  if value and value ~= '1' then
    redis.call('HSET', key, '_priority', value)
  else
    redis.call('HDEL', key, '_priority')
  end
end

local member = member_of(queue, flow, id)
local before = status == 'waiting' and list_for(queue, member)
write(priority)
if before and list_for(queue, member) ~= before then
  write(old)
  remove_many(queue, { member })
  write(priority)
  put(queue, member)
  write_counts()
end
return 'set'

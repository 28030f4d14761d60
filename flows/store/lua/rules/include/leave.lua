-- Lets ids leave `processing`: the one file that takes them out of there. With its lease a job gives back its slots.
--@ exports: leave
--@ include: keys free

-- Returns how many of these ids stood there.
local function leave(job_queue, ids)
  local left = redis.call('ZREM', queue_key(job_queue, 'processing'), unpack(ids))
  give_slots_back(job_queue, ids, left)
  return left
end

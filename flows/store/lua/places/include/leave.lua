-- Lets ids leave `processing`: the one file that takes them out of there.
--@ exports: leave
--@ include: keys

-- Returns how many of these ids stood there.
local function leave(job_queue, ids) return redis.call('ZREM', queue_key(job_queue, 'processing'), unpack(ids)) end

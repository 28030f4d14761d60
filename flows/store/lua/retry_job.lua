-- Gives a job that failed or was cancelled a new life in the queue where it ended.
--@ args: ns now flow first id ttl
--@ returns: the word: retried or gone, or the state that it is in
--@ include: clock status life wake type

local key = job_key(flow, id)
local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_visit')
if job.err or redis.call('EXISTS', key) == 0 then return 'gone' end
if job[1] ~= 'failed' and job[1] ~= 'cancelled' then return job[1] or 'waiting' end
local queue = job[2] or first
expect('list', queue_key(queue, 'waiting'))
move(key, job[1], 'waiting', '_queue', queue, '_attempts', 0, '_visit', (tonumber(job[4]) or 0) + 1)
redis.call('HDEL', key, '_rescues', '_cancel', '_error', '_ended', '_reason',
  '_next', '_policy', '_result', '_built', '_building', '_failed_child')
-- Children of its former life, some of which may still run, do not count in this one.
redis.call('DEL', flows_key('pending', flow .. ':' .. id), flows_key('building', flow .. ':' .. id))
refresh(flow, key, job[3], tonumber(ttl))
redis.call('RPUSH', queue_key(queue, 'waiting'), id)
wake(queue)
return 'retried'

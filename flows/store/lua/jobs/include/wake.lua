-- Wakes one idle worker of a queue: a sorted set of one member, so that wake-ups cannot pile up.
--@ exports: wake
--@ include: keys

-- A wake-up is only a hint: something else at its key must not stop a script half way.
local function wake(job_queue) redis.pcall('ZADD', flows_key('wake', job_queue), 0, 'w') end

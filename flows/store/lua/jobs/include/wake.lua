-- Wakes one idle worker of a queue: a sorted set of one member, so that wake-ups cannot pile up.
--@ exports: wake pass_on_alarm alarm_is_for_others
--@ include: keys

-- A wake-up is only a hint: something else at its key must not stop a script half way.
local function wake(job_queue) redis.pcall('ZADD', flows_key('wake', job_queue), 0, 'w') end

-- Whether another worker is to wake for a job that was snoozed, since it does not fit the class of this one.
local for_others = false
local function pass_on_alarm() for_others = true end
local function alarm_is_for_others() return for_others end

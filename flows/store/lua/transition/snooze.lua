-- Lets a job come back after a delay, without using up an attempt.
--@ include: retry

-- Argument: the delay in milliseconds.
local function snooze(job) delay(job, take(), '_attempts', job.attempts - 1) end

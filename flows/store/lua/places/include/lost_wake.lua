-- Wakes a worker where jobs wait: the wake-up that came with one of them may be lost.
--@ exports: wake_again
--@ include: place wake

local function wake_again(job_queue)
  if waits(job_queue) > 0 then wake(job_queue) end
end

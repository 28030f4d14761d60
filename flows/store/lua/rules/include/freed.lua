-- Wakes those who can start a job because slots of a queue have become free: one worker of it, and of each other queue
-- that waits for the slots they share.
--@ exports: slots_freed
--@ include: rules wake sharing

local function slots_freed(job_queue)
  wake(job_queue)
  local shared = RULES[job_queue].sharing and read_sharing(job_queue)
  if shared then pass_slots_on(shared, shared.free) end
end

-- Wakes those who can start a job because slots of a queue have become free: not where this very turn takes the next jobs,
-- and says at its end which slots are left.
--@ exports: slots_freed
--@ needs: queue want
--@ include: rules wake sharing

local function slots_freed(job_queue)
  if job_queue == queue and want ~= '0' then return end
  wake(job_queue)
  local shared = RULES[job_queue].sharing and read_sharing(job_queue)
  if shared then pass_slots_on(shared, shared.free) end
end

-- Ends an attempt of a run that begins anew: with another input, and without any step. What it has taken of events stays
-- taken.
--@ exports: continue_as_new
--@ needs: flow queue
--@ include: attempt arguments batch status place member forget_steps

-- Argument: the input, JSON.
local function continue_as_new(job)
  local input = take()
  forget_steps(job.id, job.key)
  leave_processing(job.id)
  move(job.key, 'processing', 'waiting', '_attempt', next_visit(job.attempt, job.id, queue), 'input', input)
  put(queue, member_of(queue, flow, job.id))
end

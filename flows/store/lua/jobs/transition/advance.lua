-- Ends an attempt by passing the job on to another queue, with what the function returned.
--@ exports: advance
--@ needs: flow queue
--@ include: attempt status moved batch arguments history ending settings

-- Arguments: the queue, then fields and values.
local function advance(job, after)
  local to = take()
  leave_processing(job.id)
  if job.building then end_built(flow .. ':' .. job.id, queue, kept_done) end
  move(job.key, 'processing', 'waiting', '_queue', to, '_attempt', next_visit(job.attempt, job.id, queue), take_up_to(after))
  if job.history then
    redis.call('HSET', job.key, '_history', history_with(job, 'advance'))
  end
  refresh_moved(flow, job.key, job.lookups)
  push(to, job.id)
end

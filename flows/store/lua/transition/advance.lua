-- Ends an attempt by passing the job on to another queue, with what the function returned.
--@ include: owned status life batch arguments history

-- Arguments: the queue, then a counted list of fields and values.
local function advance(job)
  local to, fields = take(), take_counted()
  leave_processing(job.id)
  move(job.key, 'processing', 'waiting', '_queue', to, '_attempt', next_visit(job.attempt), unpack(fields))
  if job.history then
    redis.call('HSET', job.key, '_history', history_with(job, 'advance'))
  end
  refresh(flow, job.key, job.lookups, ttl)
  push(to, job.id)
end

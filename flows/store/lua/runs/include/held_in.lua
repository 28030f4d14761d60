-- Counts the slots that are held in a queue of runs: a run that waits may keep its own.
--@ exports: held_in
--@ include: keys

-- Returns how many: one for each lease, what some hold beyond that, and those that runs keep.
local function held_in(job_queue)
  local leases = redis.pcall('ZCARD', queue_key(job_queue, 'processing'))
  local beyond = redis.pcall('HGET', flows_key('load', job_queue), '')
  local kept = redis.pcall('ZCARD', flows_key('kept', job_queue))
  return (tonumber(leases) or 0) + (type(beyond) == 'string' and tonumber(beyond) or 0) + (tonumber(kept) or 0)
end

-- Counts the slots that are held in a queue.
--@ exports: held_in
--@ include: keys

-- Returns how many slots the jobs of a queue hold: one for each lease, and what some hold beyond that.
local function held_in(job_queue)
  local leases = redis.pcall('ZCARD', queue_key(job_queue, 'processing'))
  local beyond = redis.pcall('HGET', flows_key('load', job_queue), '')
  return (tonumber(leases) or 0) + (type(beyond) == 'string' and tonumber(beyond) or 0)
end

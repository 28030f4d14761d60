-- Counts the slots that are held in a queue of runs: a run that waits may keep its own.
--@ exports: held_in kept_in
--@ include: keys

local counted = {}

-- Returns how many: one for each lease, what some hold beyond that, and those that runs keep.
local function held_in(job_queue)
  local leases = redis.pcall('ZCARD', queue_key(job_queue, 'processing'))
  local beyond = redis.pcall('HGET', flows_key('load', job_queue), '')
  counted[job_queue] = tonumber(redis.pcall('ZCARD', flows_key('kept', job_queue))) or 0
  return (tonumber(leases) or 0) + (type(beyond) == 'string' and tonumber(beyond) or 0) + counted[job_queue]
end

-- Returns how many runs kept their slots when those of the queue were counted last.
local function kept_in(job_queue) return counted[job_queue] or 0 end

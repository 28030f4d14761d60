-- Counts the slots that are held in a queue of runs: a run that waits may keep its own.
--@ exports: held_in kept_in needs_no_slot
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

-- Returns whether a run waits there that goes on with the slot which it has kept.
local function needs_no_slot(job_queue)
  local back = redis.pcall('ZCOUNT', flows_key('kept', job_queue), 1, '+inf')
  return type(back) == 'number' and back > 0
end

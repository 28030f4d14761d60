-- Wakes a worker where jobs wait: the wake-up that came with one of them may be lost. Not where no slot is free: whoever
-- gives one back takes the next job, or wakes a worker for it.
--@ exports: wake_again
--@ include: place wake rules spots sharing held_in has_slot_kept

local function has_slot(job_queue)
  local rule = RULES[job_queue]
  if not rule or rule.slots <= 0 or needs_no_slot(job_queue) then return true end
  local shared = rule.sharing and read_sharing(job_queue)
  if shared then return shared.free > 0 end
  local set = redis.pcall('HGET', fair_of(job_queue), 'slots')
  return held_in(job_queue) < (type(set) == 'string' and tonumber(set) or rule.slots)
end

local function wake_again(job_queue)
  if waits(job_queue) > 0 and has_slot(job_queue) then wake(job_queue) end
end

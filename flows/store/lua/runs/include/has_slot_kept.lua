-- Says whether a run waits that needs no free slot.
--@ exports: needs_no_slot
--@ include: keys

-- Returns whether one waits there that goes on with the slot which it has kept.
local function needs_no_slot(job_queue)
  local back = redis.pcall('ZCOUNT', flows_key('kept', job_queue), 1, '+inf')
  return type(back) == 'number' and back > 0
end

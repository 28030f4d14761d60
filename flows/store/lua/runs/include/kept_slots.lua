-- The slots that runs keep while they wait, as their workflow says: in `flows:kept:<queue>` stand those that do. A run
-- that goes on gives its slot back and stands at the head of its queue: it takes the next one, which is that.
--@ exports: keep_slot give_slot_back give_slots_of
--@ include: keys wake

--@ lazy

local function keep_slot(job_queue, run_id) redis.call('SADD', flows_key('kept', job_queue), run_id) end

local function give_slots_of(job_queue, run_ids) redis.pcall('SREM', flows_key('kept', job_queue), unpack(run_ids)) end

-- Gives back the slot of a run that waits, if it has kept one.
local function give_slot_back(job_queue, run_id)
  if redis.pcall('SREM', flows_key('kept', job_queue), run_id) == 1 then wake(job_queue) end
end

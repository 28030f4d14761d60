-- The slots that runs keep while they wait, as their workflow says: in `flows:kept:<queue>` stands each that does, with 0
-- while it waits for something, and with a time since when it may go on: it takes its own slot then, before all others.
--@ exports: keep_slot return_with_slot return_with_slots give_slot_back
--@ include: keys clock wake

--@ lazy

local function keep_slot(job_queue, run_id, since) redis.call('ZADD', flows_key('kept', job_queue), since, run_id) end

local function return_with_slots(job_queue, run_ids)
  local entries = {}
  for i, run_id in ipairs(run_ids) do entries[2 * i - 1], entries[2 * i] = now_text, run_id end
  redis.pcall('ZADD', flows_key('kept', job_queue), 'XX', unpack(entries))
end

local function return_with_slot(job_queue, run_id) return_with_slots(job_queue, { run_id }) end

-- Gives back the slot of a run that waits, if it has kept one.
local function give_slot_back(job_queue, run_id)
  if redis.pcall('ZREM', flows_key('kept', job_queue), run_id) == 1 then wake(job_queue) end
end

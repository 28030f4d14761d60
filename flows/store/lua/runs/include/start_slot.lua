-- Starts the run of one slot of a schedule, once: which run a slot has, its entry in `fired` says as long as the run is
-- kept. The id of a run is of now, so that it stands among the runs of its day.
--@ exports: take_slots run_of_slot start_slot is_open forget_fired
--@ needs: root fired rest at
--@ include: keys arguments take_run start_run

local OPEN = { waiting = true, delayed = true, processing = true, children = true }
-- Each firing looks at so many entries: those of runs that are gone are dropped sooner than they pile up.
local SAMPLE = 8

-- Returns the runs of the slots that follow; stops the script where one of them cannot be started.
local function take_slots()
  local runs = {}
  while at <= #rest do
    local slot = take()
    local run = take_run()
    run.slot = slot
    local wrong = start_conflict(run)
    if wrong then error({ err = 'FLOWSCONFLICT ' .. wrong }) end
    runs[#runs + 1] = run
  end
  return runs
end

local function is_open(run_id)
  if not run_id or run_id == '' then return false end
  local key = job_key(root, run_id)
  if redis.call('EXISTS', key) == 0 then return false end
  return OPEN[redis.call('HGET', key, '_status') or 'waiting'] == true
end

-- Returns the run that a slot has, if it is kept.
local function run_of_slot(slot)
  local run_id = redis.call('HGET', fired, slot)
  if run_id and redis.call('EXISTS', job_key(root, run_id)) == 1 then return run_id end
end

local function start_slot(run)
  start_run(run)
  redis.call('HSET', fired, run.slot, run.id)
end

local function forget_fired()
  local found = redis.call('HRANDFIELD', fired, SAMPLE, 'WITHVALUES')
  for i = 1, #found, 2 do
    local slot, run_id = found[i], found[i + 1]
    if redis.call('EXISTS', job_key(root, run_id)) == 0 then redis.call('HDEL', fired, slot) end
  end
end

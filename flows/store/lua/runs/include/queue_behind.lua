-- Lets a run that is about to be started wait for the end of another one, however that ends: it is delayed, with a record
-- by which it waits, and the other one names it among those that wait for it.
--@ exports: queue_behind queued
--@ needs: root
--@ include: keys clock

local FAR_MS = 366 * 86400000
local WAITS = '{"status":"waiting","kind":"turn","behind":"%s"}'

local function queue_behind(other, run)
  local key = job_key(root, other)
  local line = run.id .. ' @turn -'
  local parents = redis.call('HGET', key, '_parents')
  redis.call('HSET', key, '_parents', parents and parents .. '\n' .. line or line)
  local n = #run.fields
  run.fields[n + 1], run.fields[n + 2] = 'step:@turn', string.format(WAITS, other)
  run.due, run.behind = time + FAR_MS, true
end

-- Returns how many runs wait for their turn, from the last one on towards the one that does not; no more than `bound`.
local function queued(last, bound)
  for n = 0, bound - 1 do
    local record = redis.pcall('HGET', job_key(root, last), 'step:@turn')
    last = type(record) == 'string' and string.match(record, '^{"status":"waiting","kind":"turn","behind":"([^"]+)"}$')
    if not last then return n end
  end
  return bound
end

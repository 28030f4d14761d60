-- A key that one job has at a time: it holds while that job waits in the first queue, until it ends, or for some time.
--@ exports: duplicate
--@ needs: queue
--@ include: holder clock

local OPEN = { waiting = true, delayed = true, processing = true, children = true }

--@ lazy

local function holds(rule, status, in_queue, unique_ms)
  if rule == 'ended' then return OPEN[status] end
  if rule == 'started' then return (status == 'waiting' or status == 'delayed') and in_queue == queue end
  return unique_ms + tonumber(rule) > time
end

-- Returns the answer to a call whose key still holds, or nothing. `rule` is `started`, `ended`, or how long it holds from
-- the creation of the other job on, in milliseconds.
local function duplicate(job, rule)
  local id, found = holder(job.lookups, '_status', '_queue', '_unique')
  if not id then return nil end
  return holds(rule, found[1] or 'waiting', found[2] or queue, tonumber(found[3]) or 0) and { 'duplicate', id } or nil
end

-- What the parts of the reconciler share: the budget of one step, what it has repaired, what is known of the flow.
--@ exports: MOST_CHECKS PAGE checks repairs spend report try flow_of declared has_queue
--@ needs: root rest at
--@ include: keys

-- A check of one job takes about 10 µs; what takes longer counts as several checks.
local MOST_CHECKS = 100
-- So many ids or keys are read at once.
local PAGE = 50
local checks, repairs = 5, {}

local function spend(n) checks = checks + n end

local function report(queue, id, word)
  repairs[#repairs + 1] = { queue, id, word }
  spend(2)
end

-- Calls fn(...) for one job; an error is reported, and stops neither the other jobs nor the pass.
local function try(queue, id, fn, ...)
  local ok, why = pcall(fn, ...)
  if not ok then report(queue, id, 'error ' .. tostring(why)) end
end

local function flow_of(queue) return string.find(queue, ':', 1, true) and queue or root end

local declared = {}
for i = at, #rest do declared[rest[i]] = true end

-- Returns whether the flow has this queue, by the caller's declaration or by that of another version, as recorded.
local function has_queue(queue)
  if declared[queue] then return true end
  local known = redis.pcall('HMGET', queue_key(queue, 'meta'), 'owner', 'flows')
  return known[1] == root or string.find(' ' .. (known[2] or '') .. ' ', ' ' .. root .. ' ', 1, true) ~= nil
end

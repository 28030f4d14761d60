-- Finds the queues that the flow has had, has no more, and in which jobs are left.
-- Answers for each how many wait, are processing, are delayed, and wait for their children.
--@ keys: queues
--@ args: ns
--@ rest: the names of all queues that the flow has, now or formerly
--@ returns: left:list<[queue:text waiting:int processing:int delayed:int children:int]>
--@ include: keys waiting

local declared = {}
for i = at, #rest do declared[rest[i]] = true end

-- A key that holds something else counts as empty: it is the claim that names it.
local function size(command, key)
  local found = redis.pcall(command, key)
  return type(found) == 'number' and found or 0
end

local left = {}
local known = redis.pcall('HKEYS', queues)
for _, queue in ipairs(known.err and {} or known) do
  -- What stands in a shared queue, the flows that still have it see to.
  if not declared[queue] and not redis.pcall('HGET', queue_key(queue, 'meta'), 'flows') then
    local counts = { queue, depth(queue) or 0 }
    local jobs = counts[2]
    for i, place in ipairs({ 'processing', 'delayed', 'children' }) do
      counts[i + 2] = size('ZCARD', queue_key(queue, place))
      jobs = jobs + counts[i + 2]
    end
    if jobs > 0 then left[#left + 1] = counts end
  end
end
return left

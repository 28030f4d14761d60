-- Reads of a parent for how many of its children it waits, and of a child how its parent is.
--@ exports: tell_children tell_parent
--@ needs: ns root id
--@ include: keys find_job

-- So many of the children that have not ended are looked at, for one that runs.
local LOOKED_AT = 20
local RANK = { processing = 1, children = 2, delayed = 3, waiting = 4 }

local function child_queues(queue)
  local found = {}
  for _, name in ipairs(queues_of()) do
    if string.match(name, '^(.*):[^:]*$') == queue then found[#found + 1] = name end
  end
  return found
end

-- Returns the queue and the state of a child, or nothing where its hash is gone.
local function child_state(children, child)
  for _, name in ipairs(children) do
    local key = job_key(name, child)
    if redis.call('TYPE', key).ok == 'hash' then return name, redis.call('HGET', key, '_status') or 'waiting' end
  end
end

-- Tells of how many children a parent waits for how many, and of one of these: one that runs, if any does.
local function tell_children(tell, job_flow, queue)
  local pending = flows_key('pending', job_flow .. ':' .. id)
  local left = redis.pcall('SCARD', pending)
  tell('pending', left)
  tell('settled', redis.pcall('HLEN', job_key(job_flow, id) .. ':children:' .. queue))
  local children, best, least = child_queues(queue), nil, 9
  for _, child in ipairs(redis.pcall('SRANDMEMBER', pending, LOOKED_AT)) do
    local name, status = child_state(children, child)
    local rank = RANK[status] or 8
    if name and rank < least then best, least = { child, name, status }, rank end
  end
  if not best then return end
  tell('child_id', best[1])
  tell('child_queue', best[2])
  tell('child_status', best[3])
end

-- Tells how a parent is, by its flow and id, and whether children of it are still to be cancelled.
local function tell_parent(tell, parent)
  tell('parent_status', redis.pcall('HGET', ns .. 'job:' .. parent, '_status'))
  tell('parent_cancelled', redis.pcall('HEXISTS', flows_key('cancelling', root), parent))
end

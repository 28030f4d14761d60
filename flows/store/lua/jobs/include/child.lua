-- Lets a parent wait for its children: publishes them, moves the parent into `children`, forgets earlier children.
--@ exports: settled_key visit_of published forget_children json_keys keys_of wait_for_children publish_children
--@ needs: flow queue
--@ include: keys status place member attempt clock

local function settled_key(job) return job.key .. ':children:' .. queue end

local function visit_of(job)
  local _, visit = counts(job.attempt)
  return tostring(visit)
end

-- Returns whether children of this visit were built in parts and published before.
local function published(job)
  local marks = redis.call('HMGET', job.key, '_built', '_building')
  return marks[1] and marks[2] == visit_of(job)
end

-- Forgets the children of an earlier visit, or of an attempt that was lost: they do not count here.
local function forget_children(job)
  local me, field = flow .. ':' .. job.id, 'children:' .. queue
  redis.call('DEL', settled_key(job), flows_key('building', me), flows_key('pending', me))
  redis.call('HDEL', job.key, '_built', '_building', '_failed_child', field .. ':jobs', field .. ':results')
end

-- Returns job keys as the JSON list that the parent's hash keeps, in the order of creation.
local function json_keys(keys)
  local texts = {}
  for i, key in ipairs(keys) do texts[i] = '"' .. key .. '"' end
  return '[' .. table.concat(texts, ',') .. ']'
end

-- Returns the job keys of children that were just written.
local function keys_of(built)
  local keys = {}
  for i, child in ipairs(built) do keys[i] = job_key(child[1], child[2]) end
  return keys
end

-- Moves the parent into `children`, without a TTL until it leaves; `fields` are written with it.
local function wait_for_children(job, fields)
  redis.call('HDEL', job.key, '_next', '_result', '_built', '_building')
  move(job.key, 'processing', 'children', '_attempt', attempt_over(job.attempt, job.id, queue, 0, -math.huge), unpack(fields))
  redis.call('PERSIST', job.key)
  redis.call('ZADD', queue_key(queue, 'children'), time, member_of(queue, flow, job.id))
end

-- Publishes children: lets them wait in their queues, and records their parent outside of their hashes too.
local function publish_children(job, built)
  local by_queue, parents = {}, {}
  for _, child in ipairs(built) do
    local of = child[1]
    if not by_queue[of] then by_queue[of], parents[of] = {}, {} end
    local ids, map = by_queue[of], parents[of]
    ids[#ids + 1] = child[2]
    map[#map + 1] = child[2]
    map[#map + 1] = flow .. ':' .. job.id
  end
  for child, ids in pairs(by_queue) do
    redis.call('HSET', flows_key('parents', child), unpack(parents[child]))
    put_many(child, ids)
  end
end

-- Reads where jobs of a queue wait: for views, which change nothing, and for what walks through whole queues.
--@ exports: depth list_for lists_for lists_state ahead_of some_lists first_waiting drop_first
--@ include: keys

local function list_of(job_queue) return queue_key(job_queue, 'waiting') end

-- Returns how many ids stand where jobs of the queue wait; nothing where something else stands there.
local function depth(job_queue)
  local length = redis.pcall('LLEN', list_of(job_queue))
  return type(length) == 'number' and length or nil
end

-- Returns the list in which a job stands that waits in the queue.
local function list_for(job_queue) return list_of(job_queue) end

-- Returns the lists in which it may stand: its own first.
local function lists_for(job_queue) return { list_of(job_queue) } end

-- Returns how many ids go before a job that stands at this place of its list, and whether that is exact; of a job in a
-- group, also its place there.
local function ahead_of(_, _, place) return place, true end

-- Returns what is known of a queue's lists beside their depth: names and numbers by turns.
local function lists_state() return {} end

-- Returns lists at whose heads the oldest jobs stand.
local function some_lists(job_queue) return { list_of(job_queue) } end

-- Returns up to `most` ids from the head of a list of the queue that is not empty, and that list.
local function first_waiting(job_queue, most)
  local list = list_of(job_queue)
  return redis.call('LRANGE', list, 0, most - 1), list
end

-- Drops so many ids from the head of that list.
local function drop_first(_, list, n) redis.call('LTRIM', list, n, -1) end

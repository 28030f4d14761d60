-- Reads how much stands in each place of each queue, and what has become of jobs there: all queues at one moment, and
-- no list is walked. Answers the time first; of each queue since when its oldest job waits and when its next delayed one
-- is due, as texts that are empty where there is none, how many fields its `meta` has and what they are, and what is known
-- of its lists where it has several: names and numbers by turns.
--@ flags: no-writes
--@ args: ns now root first
--@ rest: the names of the queues
--@ returns: now:int queues:list<[queue:text waiting:int delayed:int processing:int children:int failed:int cancelled:int workers:int fields:int oldest:text due:text meta:list<text> lists:list<any>]>
--@ include: clock keys since waiting

-- So many ids at the head of a list are asked for since when they wait: jobs that were cancelled leave theirs there.
local HEADS = 10

-- Of a key that holds something else nothing is known: -1.
local function size(command, ...)
  local found = redis.pcall(command, ...)
  return type(found) == 'number' and found or -1
end

local function list_of(...)
  local found = redis.pcall(...)
  return found.err and {} or found
end

local function oldest_in(list, queue)
  local job_flow, fallback = string.find(queue, ':', 1, true) and queue or root, nil
  for _, id in ipairs(list_of('LRANGE', list, 0, HEADS - 1)) do
    local since, waits = since_waiting(job_flow, queue, id)
    if waits then return since end
    fallback = fallback or since
  end
  return fallback
end

local function oldest(queue)
  local found
  for _, list in ipairs(some_lists(queue)) do
    local since = oldest_in(list, queue)
    if since and since < (found or math.huge) then found = since end
  end
  return found
end

local observed = {}
for i = at, #rest do
  local queue = rest[i]
  local since = oldest(queue)
  observed[#observed + 1] = {
    queue, depth(queue) or -1, size('ZCARD', queue_key(queue, 'delayed')),
    size('ZCARD', queue_key(queue, 'processing')), size('ZCARD', queue_key(queue, 'children')),
    size('ZCARD', flows_key('ended', queue .. ':failed')), size('ZCARD', flows_key('ended', queue .. ':cancelled')),
    size('ZCOUNT', flows_key('workers', queue), now_text, '+inf'), size('HLEN', queue_key(queue, 'meta')),
    since and string.format('%d', since) or '',
    list_of('ZRANGE', queue_key(queue, 'delayed'), 0, 0, 'WITHSCORES')[2] or '',
    list_of('HGETALL', queue_key(queue, 'meta')), lists_state(queue),
  }
end
return { time, observed }

-- Gathers, at one moment, what explains why a job is where it is: its hash and place, its queue and who works on it,
-- its children and its parent. What there is not, it does not tell.
--@ flags: no-writes
--@ keys: queues
--@ args: ns now root first id
--@ rest: the names of all queues of the flow
--@ returns: now:int facts:list<[name:text value:any]>
--@ include: clock keys find_job place_in_list since member family newest workforce

local facts = {}
local function tell(name, value)
  if value ~= nil and value ~= false and type(value) ~= 'table' then facts[#facts + 1] = { name, value } end
end

-- The fields of the hash that say something, by the names that the caller knows them by.
local FIELDS = {
  '_status', '_queue', '_attempt', '_error', '_reason', '_cancel', '_ended', '_history', '_parent', '_policy',
}

-- Tells where the id of a job stands whose hash is gone.
local function tell_left()
  for _, queue in ipairs(queues_of()) do
    local member = member_of(queue, root, id)
    for _, place in ipairs({ 'processing', 'delayed', 'children' }) do
      if type(redis.pcall('ZSCORE', queue_key(queue, place), member)) == 'string' then
        return tell('left_in', place .. ' ' .. queue)
      end
    end
    for _, word in ipairs({ 'failed', 'cancelled' }) do
      if type(redis.pcall('ZSCORE', flows_key('ended', queue .. ':' .. word), member)) == 'string' then
        return tell('left_in', word .. ' ' .. queue)
      end
    end
    if type(redis.pcall('LPOS', queue_key(queue, 'waiting'), member, 'MAXLEN', 1000)) == 'number' then
      return tell('left_in', 'waiting ' .. queue)
    end
  end
end

-- Tells where a job stands that waits, and returns in which queue.
local function tell_turn(job_flow, places, since)
  local queue, guess = places[1], nil
  for _, place in ipairs(places) do
    local ahead, exact, found, in_group = place_in_list(job_flow, place, id, since)
    if ahead and found then
      tell(exact and 'ahead' or 'about', ahead)
      tell('in_group', in_group)
      return place
    end
    if ahead then queue, guess = place, ahead end
  end
  if guess then tell('about', guess) else tell('unlisted', 1) end
  return queue
end

-- Tells of a queue whether it is paused.
local function tell_pause(queue)
  for _, name in ipairs({ 'paused', 'paused_at', 'paused_note' }) do
    tell(name, redis.pcall('HGET', queue_key(queue, 'meta'), name))
  end
end

local job_flow, kind, places = find_job(id)
tell('flow', job_flow)
tell('kind', kind)
if kind == 'none' then tell_left() end
if kind ~= 'hash' then return { time, facts } end
local key = job_key(job_flow, id)
local job = {}
for i, value in ipairs(redis.call('HMGET', key, unpack(FIELDS))) do
  job[FIELDS[i]] = value
  tell(FIELDS[i], value)
end
local status, queue = job._status or 'waiting', places[1]
if status == 'waiting' then
  queue = tell_turn(job_flow, places, since_of(id, job._attempt))
else
  tell('score', redis.pcall('ZSCORE', queue_key(queue, status), member_of(queue, job_flow, id)))
end
tell('queue', queue)
if status == 'waiting' or status == 'delayed' then
  tell_pause(queue)
  tell_workforce(tell, queue)
  tell('declaration', newest_declaration(root))
  for _, name in ipairs(redis.call('HKEYS', key)) do tell('field', name) end
end
if status == 'children' then tell_children(tell, job_flow, queue) end
if job._parent then tell_parent(tell, job._parent) end
return { time, facts }

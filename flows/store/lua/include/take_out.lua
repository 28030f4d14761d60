-- Takes a job out of the structure that its state names, for those who end it from outside.
--@ include: keys

-- A longer list is left as it is: the id stays in it and is dropped when its turn comes.
local SHORT = 10000

local function remove_from(list, id)
  if redis.call('LLEN', list) <= SHORT then redis.call('LREM', list, 0, id) end
end

local function take_out(flow, id, key, status, queue)
  if status == 'waiting' then
    remove_from(queue_key(queue, 'waiting'), id)
  elseif status == 'delayed' then
    redis.call('ZREM', queue_key(queue, 'delayed'), id)
  elseif status == 'processing' then
    redis.call('ZREM', queue_key(queue, 'processing'), id)
  elseif status == 'children' then
    redis.call('ZREM', queue_key(queue, 'children'), id)
  end
end

-- Returns the job keys of the children that have not settled; settling them finds a parent that has ended.
local function pending_children(flow, id)
  local jobs = {}
  local key = job_key(flow, id)
  local queue = redis.call('HGET', key, '_queue')
  local all = redis.call('HGET', key, 'children:' .. queue .. ':jobs')
  local pending = flows_key('pending', flow .. ':' .. id)
  for child in string.gmatch(all or '', '"([^"]+)"') do
    local _, child_id = split(child)
    if redis.call('SISMEMBER', pending, child_id) == 1 then jobs[#jobs + 1] = child end
  end
  return jobs
end

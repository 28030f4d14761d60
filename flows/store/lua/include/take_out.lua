-- Takes a job out of the structure that its state names, for those who end it from outside.
--@ include: keys type

-- A longer list is left as it is: the id stays in it and is dropped when its turn comes.
local SHORT = 10000

local function remove_from(list, id)
  local length = redis.pcall('LLEN', list)
  if type(length) == 'number' and length <= SHORT then redis.call('LREM', list, 0, id) end
end

local function take_out(id, key, status, queue)
  local place = queue_key(queue, status)
  if status == 'waiting' then
    expect('list', place)
    remove_from(place, id)
  elseif status == 'delayed' or status == 'processing' or status == 'children' then
    expect('zset', place)
    redis.call('ZREM', place, id)
  end
  if status == 'children' then redis.call('PEXPIRE', key .. ':children:' .. queue, kept_cancelled) end
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

-- Deletes one job: its hash, its place, its lookup entries; for a parent that waits for it, it settles.
--@ exports: delete_job
--@ needs: root
--@ include: ending take_out member cut keys life type count told asked

local function leave_list(job_flow, list, job_id)
  cut(nil, list, { job_id })
  if redis.call('EXISTS', list) == 1 then prune_later(job_flow, list, 0) end
end

-- Returns the job keys of its children, and the hashes beside it in which they settle.
local function children_of(key, me, built)
  -- Children that are written but not published yet, unless the field `_built` names them already.
  local children = built and {} or redis.call('LRANGE', flows_key('building', me), 0, -1)
  local sides = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local of = string.match(field, '^children:(.+):jobs$')
    if of then
      sides[#sides + 1] = key .. ':children:' .. of
      for child in string.gmatch(redis.call('HGET', key, field), '"([^"]+)"') do children[#children + 1] = child end
    end
  end
  return children, sides
end

-- Returns the word and, where it is deleted, the job keys of its children, for the caller to delete. With `set_aside`,
-- that takes what waits out of its list later; with `leave_lookups`, that takes the job out of its lookup lists.
local function delete_job(job_flow, first_queue, job_id, set_aside, leave_lookups)
  local key = job_key(job_flow, job_id)
  if redis.call('TYPE', key).ok ~= 'hash' then
    settle_missing(job_flow, job_id, 'deleted')
    return 'gone'
  end
  local job = redis.call('HMGET', key, '_status', '_queue', '_lookups', '_parent', '_built', '_ended')
  local status, job_queue = job[1] or 'waiting', job[2] or first_queue
  if not is_asked(status, job[6]) then return 'changed' end
  local me = job_flow .. ':' .. job_id
  expect('list', flows_key('building', me))
  expect_place(job_queue, status)
  local children, sides = children_of(key, me, job[5])
  local member = member_of(job_queue, job_flow, job_id)
  if set_aside and status == 'waiting' then
    set_aside(job_queue, member)
  else
    take_out(member, key, status, job_queue)
  end
  if job[3] then
    each_lookup(job_flow, job[3], function(list, own)
      if not own then (leave_lookups or leave_list)(job_flow, list, job_id) end
    end)
  end
  sides[#sides + 1] = key .. ':stream'
  redis.call('DEL', key, flows_key('log', me), flows_key('building', me), flows_key('pending', me), unpack(sides))
  redis.pcall('HDEL', flows_key('cancelling', root), me)
  if PLACES[status] then
    count(job_queue, 'deleted')
  else
    count(job_queue, 'delete_ended')
    forget_ended(job_queue, status, member)
  end
  told_of(key, 'deleted', job_queue)
  if job[4] then settle(job_flow, job_id, job[4], 'deleted', '{"id":"' .. job_id .. '","status":"deleted"}') end
  tell_ended(job_flow, job_id, 'deleted')
  return 'deleted', children
end

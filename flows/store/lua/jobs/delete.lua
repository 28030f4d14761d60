-- Deletes one job: its hash, its place, its lookup entries; for a parent that waits for it, it settles.
-- Answers the job keys of its children, for the caller to delete.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now root flow first id settings states ended_before
--@ returns: word:word children:list<text>
--@ words: deleted | gone | changed
--@ include: ending take_out member cut once keys life type count told asked

local function delete()
  local key = job_key(flow, id)
  if redis.call('TYPE', key).ok ~= 'hash' then
    settle_missing(flow, id, 'deleted')
    return { 'gone', {} }
  end
  local job = redis.call('HMGET', key, '_status', '_queue', '_lookups', '_parent', '_built', '_ended')
  local status, queue = job[1] or 'waiting', job[2] or first
  if not is_asked(status, job[6]) then return { 'changed', {} } end
  local me = flow .. ':' .. id
  expect('list', flows_key('building', me))
  expect_place(queue, status)
  -- Children that are written but not published yet, unless the field below names them already.
  local children = job[5] and {} or redis.call('LRANGE', flows_key('building', me), 0, -1)
  local sides = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local of = string.match(field, '^children:(.+):jobs$')
    if of then
      sides[#sides + 1] = key .. ':children:' .. of
      for child in string.gmatch(redis.call('HGET', key, field), '"([^"]+)"') do children[#children + 1] = child end
    end
  end
  take_out(member_of(queue, flow, id), key, status, queue)
  if job[3] then
    each_lookup(flow, job[3], function(list, own)
      if short_length(list) > 0 then redis.call('LREM', list, 0, id) end
      if not own and redis.call('EXISTS', list) == 1 then prune_later(flow, list, 0) end
    end)
  end
  redis.call('DEL', key, flows_key('log', me), flows_key('building', me), flows_key('pending', me), unpack(sides))
  redis.pcall('HDEL', flows_key('cancelling', root), me)
  if PLACES[status] then
    count(queue, 'deleted')
  else
    count(queue, 'delete_ended')
    forget_ended(queue, status, member_of(queue, flow, id))
  end
  told_of(key, 'deleted', queue)
  if job[4] then settle(flow, id, job[4], 'deleted', '{"id":"' .. id .. '","status":"deleted"}') end
  tell_ended(flow, id, 'deleted')
  write_counts()
  tell()
  return { 'deleted', children }
end

return once(delete)

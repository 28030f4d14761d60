-- A child has ended, in whatever way: its parent's pending set is the gate that lets it count once.
--@ include: keys status life wake

-- Above so many children, or bytes, the next queue's worker reads their results in pages.
local INLINE_RESULTS = 500
local INLINE_BYTES = 1048576

-- Ends a parent as any job is ended; include/ending.lua provides it, since endings settle in turn.
local end_parent

-- Returns `{child: [result, ...]}` in the order of creation, or nil where there are too many.
local function results_of(parent_key, queue, jobs)
  local ids, by_child, names = {}, {}, {}
  for key in string.gmatch(jobs or '', '"([^"]+)"') do
    local flow, id = split(key)
    local _, child = split(flow)
    ids[#ids + 1] = id
    if not by_child[child] then
      by_child[child] = {}
      names[#names + 1] = child
    end
    local list = by_child[child]
    list[#list + 1] = #ids
  end
  if #ids == 0 or #ids > INLINE_RESULTS then return nil end
  local settled = redis.call('HMGET', parent_key .. ':children:' .. queue, unpack(ids))
  local parts, bytes = {}, 0
  for _, child in ipairs(names) do
    local list = by_child[child]
    for i, at in ipairs(list) do
      list[i] = settled[at] or '{"id":"' .. ids[at] .. '","status":"deleted"}'
      bytes = bytes + #list[i]
    end
    parts[#parts + 1] = '"' .. child .. '":[' .. table.concat(list, ',') .. ']'
  end
  if bytes > INLINE_BYTES then return nil end
  return '{' .. table.concat(parts, ',') .. '}'
end

-- The last child has settled: the parent goes on, exactly once, because it leaves `children` by it.
local function join(parent)
  local key = ns .. 'job:' .. parent
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_next', '_lookups', '_parent', '_visit', '_result')
  if job.err or job[1] ~= 'children' then return end
  local flow, id = split(parent)
  local queue = job[2]
  local field = 'children:' .. queue .. ':results'
  local results = results_of(key, queue, redis.call('HGET', key, 'children:' .. queue .. ':jobs'))
  redis.call('ZREM', queue_key(queue, 'children'), id)
  if results then redis.call('HSET', key, field, results) end
  redis.call('PEXPIRE', key .. ':children:' .. queue, tonumber(ttl) > 0 and ttl or kept_done)
  if job[3] then
    move(key, 'children', 'waiting', '_queue', job[3], '_attempts', 0, '_visit', (tonumber(job[6]) or 0) + 1)
    redis.call('HDEL', key, '_next', '_policy')
    refresh(flow, key, job[4], tonumber(ttl), -1)
    redis.call('RPUSH', queue_key(job[3], 'waiting'), id)
    wake(job[3])
  else
    local result = job[7] or '{}'
    if results then
      result = string.sub(result, 1, -2) .. (result == '{}' and '' or ',') .. '"' .. field .. '":' .. results .. '}'
    end
    local fragment = '{"id":"' .. id .. '","status":"done","result":' .. result .. '}'
    end_parent(flow, id, key, 'children', 'done', job[4], job[5], fragment)
  end
end

-- A parent whose queue says so fails with the first child that did not end well.
local function fail_parent(parent, queue, child, word)
  local key = ns .. 'job:' .. parent
  local job = redis.pcall('HMGET', key, '_status', '_policy', '_lookups', '_parent')
  if job.err or job[1] ~= 'children' or job[2] ~= 'fail' then return end
  local flow, id = split(parent)
  local failure = '{"type":"ChildFailed","message":"the child ' .. child .. ' is ' .. word
    .. '","traceback":"","queue":"' .. queue .. '","attempt":1}'
  redis.call('ZREM', queue_key(queue, 'children'), id)
  redis.call('PEXPIRE', key .. ':children:' .. queue, kept_failed)
  local fragment = '{"id":"' .. id .. '","status":"failed","error":' .. failure .. '}'
  end_parent(flow, id, key, 'children', 'failed', job[3], job[4], fragment, '_error', failure)
end

local function settle(flow, id, parent, word, fragment)
  local pending = flows_key('pending', parent)
  redis.pcall('HDEL', flows_key('parents', flow), id)
  if redis.pcall('SREM', pending, id) ~= 1 then return end
  local status = redis.pcall('HGET', ns .. 'job:' .. parent, '_status')
  if status ~= 'children' and status ~= 'processing' then return end
  local queue = split(flow)
  redis.pcall('HSET', ns .. 'job:' .. parent .. ':children:' .. queue, id, fragment)
  if word ~= 'done' then fail_parent(parent, queue, id, word) end
  if redis.call('SCARD', pending) == 0 then join(parent) end
end

-- A child whose hash is gone (expired or deleted) still settles: the map beside it knows its parent.
local function settle_missing(flow, id, word)
  local map = flows_key('parents', flow)
  local parent = redis.pcall('HGET', map, id)
  if type(parent) ~= 'string' then return end
  settle(flow, id, parent, word, '{"id":"' .. id .. '","status":"' .. word .. '"}')
end

-- A parent that waits goes on, or ends, by its children.
--@ include: keys status life wake type fragment attempt

-- Above so many children, or bytes, the next queue's worker reads their results in pages.
local INLINE_RESULTS = 500
local INLINE_BYTES = 1048576

-- Ends a parent as any job is ended; include/ending.lua provides it, since endings settle in turn.
local end_parent
local settle_missing

-- Returns `{child: [result, ...]}` in the order of creation, or nil where there are too many.
local function results_of(parent_key, queue, jobs)
  local ids, by_child, names = {}, {}, {}
  for key in string.gmatch(jobs or '', '"([^"]+)"') do
    local flow, id = split(key)
    local _, child = split(flow)
    if #ids == INLINE_RESULTS then return nil end
    ids[#ids + 1] = id
    if not by_child[child] then
      by_child[child] = {}
      names[#names + 1] = child
    end
    local list = by_child[child]
    list[#list + 1] = #ids
  end
  if #ids == 0 then return nil end
  local settled = redis.pcall('HMGET', parent_key .. ':children:' .. queue, unpack(ids))
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

-- The parent leaves `children`; what its children left beside it stays for `time_left` more.
local function leave_children(parent, queue, time_left)
  local _, id = split(parent)
  redis.pcall('ZREM', queue_key(queue, 'children'), id)
  redis.call('PEXPIRE', ns .. 'job:' .. parent .. ':children:' .. queue, time_left)
end

local function fail_parent(parent, queue, lookups, grandparent, why)
  local flow, id = split(parent)
  leave_children(parent, queue, kept_failed)
  -- Children that still run settle by it; it does not wait for one that was lost.
  redis.call('PEXPIRE', flows_key('pending', parent), kept_failed)
  end_parent(flow, id, ns .. 'job:' .. parent, 'children', 'failed', lookups, grandparent,
    failed_fragment(id, why), '_error', why)
end

-- The last child has settled: the parent goes on, exactly once, because it leaves `children` by it.
local function join(parent)
  local key = ns .. 'job:' .. parent
  local job = redis.call('HMGET', key, '_status', '_queue', '_next', '_lookups', '_parent', '_attempt', '_result')
  if job[1] ~= 'children' then return end
  local flow, id = split(parent)
  local queue, to = job[2], job[3]
  -- This may be in the middle of a script that ends others: it must not stop here.
  local wrong = to and conflict('list', queue_key(to, 'waiting'))
  if wrong then return fail_parent(parent, queue, job[4], job[5], failure('KeyConflict', wrong, queue, 1)) end
  local field = 'children:' .. queue .. ':results'
  local results = results_of(key, queue, redis.call('HGET', key, 'children:' .. queue .. ':jobs'))
  redis.call('HDEL', key, field, '_next', '_policy')
  if results then
    redis.call('HSET', key, field, results)
  else
    redis.call('HSET', key, '_lookups', (job[4] and job[4] .. '\n' or '') .. id .. ':children:' .. queue)
  end
  if to then
    leave_children(parent, queue, tonumber(ttl) > 0 and ttl or kept_done)
    move(key, 'children', 'waiting', '_queue', to, '_attempt', next_visit(job[6]))
    if not job[5] and tonumber(ttl) > 0 then
      redis.call('PEXPIRE', key, ttl)
      refresh_lookups(flow, job[4], tonumber(ttl))
    end
    redis.call('RPUSH', queue_key(to, 'waiting'), id)
    wake(to)
  else
    leave_children(parent, queue, kept_done)
    local fragment = done_fragment(id, job[7] or 'null', results)
    end_parent(flow, id, key, 'children', 'done', job[4], job[5], fragment)
  end
end

-- A parent that waits fails, if its queue says so, with the first child that did not end well; `failed` says which, and
-- how.
local function child_failed(parent, queue, failed)
  local job = redis.call('HMGET', ns .. 'job:' .. parent, '_policy', '_lookups', '_parent')
  if job[1] ~= 'fail' then return end
  fail_parent(parent, queue, job[2], job[3], failure('ChildFailed', 'the child ' .. failed, queue, 1))
end

-- The parent's own hash is gone, or something else stands there: whoever waits for it hears of it.
local function parent_gone(parent, queue)
  local flow, id = split(parent)
  redis.pcall('ZREM', queue_key(queue, 'children'), id)
  redis.call('DEL', ns .. 'job:' .. parent .. ':children:' .. queue)
  settle_missing(flow, id, 'expired')
end

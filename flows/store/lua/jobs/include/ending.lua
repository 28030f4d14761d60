-- What every ending of a job does: its time to stay, its lookup lists, those who wait for it, its parent.
-- A parent may end by its last child, and settles with its own parent then: so settling and joining stand here too.
--@ exports: KEPT tell_ended end_job gather_settled settle_gathered settle_children settle settle_missing join
--@ exports: child_failed parent_gone
--@ needs: ns ttl kept_done kept_failed kept_cancelled
--@ include: keys clock life status wake type fragment attempt

-- How many milliseconds the hash stays, by how the job ended.
local KEPT = { done = kept_done, failed = kept_failed, cancelled = kept_cancelled }

local waited_for = {}

-- Tells those who wait for the job. They listen to a channel of the flow as well, so that a script can see whether there
-- is anybody: nobody hears of most jobs, and to tell nobody takes as long as all else that is told of an ending.
local function tell_ended(flow, id, word)
  if waited_for[flow] == nil then
    local listeners = redis.pcall('PUBSUB', 'NUMSUB', flows_key('ended', flow))
    waited_for[flow] = listeners.err ~= nil or listeners[2] > 0
  end
  -- A hint, in the middle of a script: an account that may not publish must not stop it half way.
  if waited_for[flow] then redis.pcall('PUBLISH', flows_key('ended', flow .. ':' .. id), word) end
end

-- Moves the job to `word` (done, failed or cancelled) with more fields; `fragment` is what its parent sees.
local function end_job(flow, id, key, from, word, lookups, parent, fragment, ...)
  move(key, from, word, '_ended', now_text, ...)
  redis.call('PEXPIRE', key, KEPT[word])
  refresh_lookups(flow, lookups, KEPT[word])
  trim_lookups(flow, lookups)
  tell_ended(flow, id, word)
  if parent then settle(flow, id, parent, word, fragment) end
end

-- A script that ends many attempts gathers the children among them, by their parents.
local gathered

local function gather_settled() gathered = {} end

local function settle_gathered()
  local groups = gathered
  gathered = nil
  for i = 1, #groups do settle_children(unpack(groups[i])) end
end

-- What follows is for children and their parents; most jobs are neither.
--@ lazy

-- Children of one parent settle together: a list of {id, word, fragment}.
local function settle_children(flow, parent, children)
  local pending, ids, settled, failed = flows_key('pending', parent), {}, {}, nil
  for i, child in ipairs(children) do ids[i] = child[1] end
  redis.pcall('HDEL', flows_key('parents', flow), unpack(ids))
  local awaited = redis.pcall('SMISMEMBER', pending, unpack(ids))
  for i, child in ipairs(children) do
    if awaited[i] == 1 then
      local id, word, fragment = unpack(child)
      settled[#settled + 1] = id
      settled[#settled + 1] = fragment
      if word ~= 'done' then failed = failed or id .. ' is ' .. word end
    end
  end
  if #settled == 0 then return end
  redis.call('SREM', pending, unpack(ids))
  local key, queue = ns .. 'job:' .. parent, split(flow)
  local status = redis.pcall('HGET', key, '_status')
  if status == 'done' or status == 'failed' or status == 'cancelled' then return end
  if status ~= 'children' and (type(status) == 'table' or redis.call('EXISTS', key) == 0) then
    return parent_gone(parent, queue)
  end
  local side = key .. ':children:' .. queue
  redis.pcall('HSET', side, unpack(settled))
  if status == 'children' then
    if failed then child_failed(parent, queue, failed) end
    if redis.call('SCARD', pending) == 0 then join(parent) end
  else
    -- Its attempt, or the next one, is about to let it wait. Should it never, nothing of this stays.
    redis.call('PEXPIRE', side, tonumber(ttl) > 0 and ttl or kept_done)
    if failed then redis.call('HSET', key, '_failed_child', failed) end
  end
end

local function settle(flow, id, parent, word, fragment)
  local child = { id, word, fragment }
  if not gathered then return settle_children(flow, parent, { child }) end
  local name = flow .. ' ' .. parent
  local group = gathered[name]
  if group then
    table.insert(group[3], child)
  else
    group = { flow, parent, { child } }
    gathered[name] = group
    gathered[#gathered + 1] = group
  end
end

-- A child whose hash is gone (expired or deleted) still settles: the map beside it knows its parent.
local function settle_missing(flow, id, word)
  local map = flows_key('parents', flow)
  local parent = redis.pcall('HGET', map, id)
  if type(parent) ~= 'string' then return end
  settle(flow, id, parent, word, word_fragment(id, word))
end

-- Above so many children, or bytes, the next queue's worker reads their results in pages.
local INLINE_RESULTS = 500
local INLINE_BYTES = 1048576

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
  end_job(flow, id, ns .. 'job:' .. parent, 'children', 'failed', lookups, grandparent,
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
    end_job(flow, id, key, 'children', 'done', job[4], job[5], fragment)
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

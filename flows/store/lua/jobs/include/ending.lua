-- Ends jobs: sets how long the hash stays, trims lookup lists, notifies those who wait, and settles with the parent.
-- A parent may end by its last child, and settles with its own parent then: so settling and joining stand here too.
--@ exports: end_job end_built gather_settled settle_gathered settle_children settle settle_missing join
--@ exports: child_failed parent_gone
--@ needs: ns
--@ include: keys clock life moved status child_result attempt settings count told place member outbox

-- While a script gathers the children that it ends: these, by their parents.
local gathered

-- Moves the job to `word` (done, failed or cancelled) with more fields, of one that failed its error last;
-- `child_result` is what its parent sees.
local function end_job(job_flow, job_id, key, job_queue, from, word, lookups, parent_job, child_result, ...)
  move(key, from, word, '_ended', now_text, ...)
  count_ended(job_queue, word, member_of(job_queue, job_flow, job_id))
  local kept = kept_of(word)
  redis.call('PEXPIRE', key, kept)
  if lookups then end_lookups(job_flow, job_id, lookups, kept, tonumber(ttl) > 0) end
  put_out(job_flow, job_id, key, word, ...)
  if not gathered then put_out() end
  if parent_job then settle(job_flow, job_id, parent_job, word, child_result) end
  tell_ended(job_flow, job_id, word)
end

-- Lets what a job has written for children, and never waited for, stay no longer than it does.
local function end_built(job, job_queue, life)
  local side = ns .. 'job:' .. job .. ':children:' .. job_queue
  for _, key in ipairs({ flows_key('building', job), flows_key('pending', job), side }) do
    redis.call('PEXPIRE', key, life)
  end
end

-- Gathers what many jobs that one script ends leave to do: the children among them, by their parents, and the reports.
local function gather_settled()
  gathered = {}
  return gathered
end

local function settle_gathered()
  local groups = gathered
  gathered = nil
  put_out()
  for i = 1, #groups do settle_children(unpack(groups[i])) end
end

-- What follows is for children and their parents; most jobs are neither.
--@ lazy

-- Children of one parent settle together: a list of {id, word, child_result}.
local function settle_children(job_flow, parent_job, children)
  local pending, ids, settled, failed = flows_key('pending', parent_job), {}, {}, nil
  for i, child in ipairs(children) do ids[i] = child[1] end
  redis.pcall('HDEL', flows_key('parents', job_flow), unpack(ids))
  local awaited = redis.pcall('SMISMEMBER', pending, unpack(ids))
  for i, child in ipairs(children) do
    if awaited[i] == 1 then
      local job_id, word, child_result = unpack(child)
      settled[#settled + 1] = job_id
      settled[#settled + 1] = child_result
      if word ~= 'done' then failed = failed or job_id .. ' is ' .. word end
    end
  end
  if #settled == 0 then return end
  redis.call('SREM', pending, unpack(ids))
  local key, job_queue = ns .. 'job:' .. parent_job, split(job_flow)
  local status = redis.pcall('HGET', key, '_status')
  if status == 'done' or status == 'failed' or status == 'cancelled' then return end
  if status ~= 'children' and (type(status) == 'table' or redis.call('EXISTS', key) == 0) then
    return parent_gone(parent_job, job_queue)
  end
  local side = key .. ':children:' .. job_queue
  redis.pcall('HSET', side, unpack(settled))
  told_of(key, status or 'waiting')
  if status == 'children' then
    if failed then child_failed(parent_job, job_queue, failed) end
    if redis.call('SCARD', pending) == 0 then join(parent_job) end
  else
    -- The parent's attempt, or its next one, is about to let it wait. Where that never happens, this goes with it.
    local left = redis.call('PTTL', key)
    if left == -1 then redis.call('PERSIST', side) else redis.call('PEXPIRE', side, left) end
    if failed then redis.call('HSET', key, '_failed_child', failed) end
  end
end

local function settle(job_flow, job_id, parent_job, word, child_result)
  local child = { job_id, word, child_result }
  if not gathered then return settle_children(job_flow, parent_job, { child }) end
  local name = job_flow .. ' ' .. parent_job
  local group = gathered[name]
  if group then
    table.insert(group[3], child)
  else
    group = { job_flow, parent_job, { child } }
    gathered[name] = group
    gathered[#gathered + 1] = group
  end
end

-- Settles a child whose hash is gone (expired or deleted): the map `flows:parents:…` still knows its parent.
local function settle_missing(job_flow, job_id, word)
  local map = flows_key('parents', job_flow)
  local parent_job = redis.pcall('HGET', map, job_id)
  if type(parent_job) ~= 'string' then return end
  settle(job_flow, job_id, parent_job, word, word_result(job_id, word))
end

-- Above so many children, or bytes, the next queue's worker reads their results in pages.
local INLINE_RESULTS = 500
local INLINE_BYTES = 1048576

-- Returns `{child: [result, ...]}` in the order of creation, or nil where there are too many.
local function results_of(parent_key, job_queue, jobs)
  local ids, by_child, names = {}, {}, {}
  for key in string.gmatch(jobs or '', '"([^"]+)"') do
    local job_flow, job_id = split(key)
    local _, child = split(job_flow)
    if #ids == INLINE_RESULTS then return nil end
    ids[#ids + 1] = job_id
    if not by_child[child] then
      by_child[child] = {}
      names[#names + 1] = child
    end
    local list = by_child[child]
    list[#list + 1] = #ids
  end
  if #ids == 0 then return nil end
  local settled = redis.pcall('HMGET', parent_key .. ':children:' .. job_queue, unpack(ids))
  local parts, bytes = {}, 0
  for _, child in ipairs(names) do
    local list = by_child[child]
    for i, position in ipairs(list) do
      list[i] = settled[position] or '{"id":"' .. ids[position] .. '","status":"deleted"}'
      bytes = bytes + #list[i]
    end
    parts[#parts + 1] = '"' .. child .. '":[' .. table.concat(list, ',') .. ']'
  end
  if bytes > INLINE_BYTES then return nil end
  return '{' .. table.concat(parts, ',') .. '}'
end

-- Takes the parent out of `children`; returns the key of how its children settled.
local function leave_children(parent_job, job_queue)
  redis.pcall('ZREM', queue_key(job_queue, 'children'), member_of(job_queue, split(parent_job)))
  return ns .. 'job:' .. parent_job .. ':children:' .. job_queue
end

local function fail_parent(parent_job, job_queue, lookups, grandparent, why)
  local job_flow, job_id = split(parent_job)
  take_times(job_flow)
  redis.call('PEXPIRE', leave_children(parent_job, job_queue), kept_failed)
  -- Children that still run settle by the pending set; it expires, since a child that was lost never does.
  redis.call('PEXPIRE', flows_key('pending', parent_job), kept_failed)
  end_job(job_flow, job_id, ns .. 'job:' .. parent_job, job_queue, 'children', 'failed', lookups, grandparent,
    failed_result(job_id, why), '_error', why)
end

-- Lets a parent go on when its last child has settled: exactly once, because the parent leaves `children` by it.
local function join(parent_job)
  take_times((split(parent_job)))
  local key = ns .. 'job:' .. parent_job
  local job = redis.call('HMGET', key, '_status', '_queue', '_next', '_lookups', '_parent', '_attempt', '_result')
  if job[1] ~= 'children' then return end
  local job_flow, job_id = split(parent_job)
  local job_queue, to = job[2], job[3]
  -- This may be in the middle of a script that ends other jobs, which must not stop here.
  local wrong = to and place_conflict(to)
  if wrong then
    return fail_parent(parent_job, job_queue, job[4], job[5], failure('KeyConflict', wrong, job_queue, 1))
  end
  local field = 'children:' .. job_queue .. ':results'
  local results = results_of(key, job_queue, redis.call('HGET', key, 'children:' .. job_queue .. ':jobs'))
  redis.call('HDEL', key, field, '_next', '_policy')
  local side, lookups = leave_children(parent_job, job_queue), job[4]
  if results then
    redis.call('HSET', key, field, results)
    redis.call('DEL', side)
  else
    lookups = (lookups and lookups .. '\n' or '') .. SIDE_LINE .. job_id .. ':children:' .. job_queue
    redis.call('HSET', key, '_lookups', lookups)
  end
  if to then
    move(key, 'children', 'waiting', '_queue', to, '_attempt', joined(job[6]))
    count(job_queue, 'settle')
    if not job[5] and tonumber(ttl) > 0 then
      redis.call('PEXPIRE', key, ttl)
      refresh_moved(job_flow, key, lookups)
    end
    put(to, member_of(to, job_flow, job_id))
  else
    local child_result = done_result(job_id, job[7] or 'null', results)
    end_job(job_flow, job_id, key, job_queue, 'children', 'done', lookups, job[5], child_result)
  end
end

-- Fails a parent that waits, if its queue says so, with the first child that did not end as done; `failed` says which
-- child, and how it ended.
local function child_failed(parent_job, job_queue, failed)
  local job = redis.call('HMGET', ns .. 'job:' .. parent_job, '_policy', '_lookups', '_parent')
  if job[1] ~= 'fail' then return end
  fail_parent(parent_job, job_queue, job[2], job[3], failure('ChildFailed', 'the child ' .. failed, job_queue, 1))
end

-- Clears up after a parent whose hash is gone, or whose key holds something else, and settles it with its own parent.
local function parent_gone(parent_job, job_queue)
  local job_flow, job_id = split(parent_job)
  local member = member_of(job_queue, job_flow, job_id)
  if redis.pcall('ZREM', queue_key(job_queue, 'children'), member) == 1 then count(job_queue, 'expired') end
  redis.call('DEL', ns .. 'job:' .. parent_job .. ':children:' .. job_queue)
  settle_missing(job_flow, job_id, 'expired')
end

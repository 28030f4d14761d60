-- Reconciles parents that wait: whether they are there, and whether each child that they wait for can still settle.
--@ exports: reconcile_parents
--@ needs: ns
--@ include: reconcile_step child_result life ending member keys settings

local ENDED = { done = true, failed = true, cancelled = true }

-- Returns flow and id of a child from its key as the parent names it, or nothing where that is no child of `queue`.
local function named_child(queue, job)
  local prefix = ns .. 'job:' .. queue .. ':'
  if string.sub(job, 1, #prefix) ~= prefix then return nil end
  local child, id = string.match(job, '^([^:]+):([^:]+)$', #prefix + 1)
  if child then return queue .. ':' .. child, id end
end

-- Returns how a child ended and what its parent is to see of it; nothing while the child is on its way. What its
-- function returned was written nowhere but to its parent, and is not known any more.
local function ending_of(of, id, me)
  local key = job_key(of, id)
  local job = redis.pcall('HMGET', key, '_status', '_parent', '_error')
  if job[2] ~= me then
    local word = redis.call('EXISTS', key) == 0 and 'expired' or 'deleted'
    return word, word_result(id, word)
  end
  if job[1] == 'done' then return 'done', done_result(id, 'null') end
  if job[1] == 'failed' then
    local _, why = pcall(cjson.decode, job[3])
    local whole = type(why) == 'table' and type(why.type) == 'string' and type(why.message) == 'string'
    return 'failed', failed_result(id, whole and job[3] or failure('MalformedJob', 'its error cannot be read', of, 0))
  end
  if ENDED[job[1]] then return job[1], word_result(id, job[1]) end
end

-- Stands in the pending set while the reconciler rebuilds it: so no child that ends meanwhile counts as the last.
local INCOMPLETE = ''

-- Lets the pending set of a parent that has left expire: nobody waits for its children, and some may never settle.
local function leave_pending(pending)
  redis.call('SREM', pending, INCOMPLETE)
  redis.call('PEXPIRE', pending, kept_failed)
end

-- Returns whether a pending child that the parent does not name is on its way all the same, as far as can be seen.
local function awaits_others(queue, me, pending)
  for _, id in ipairs(redis.call('SRANDMEMBER', pending, PAGE)) do
    for child in pairs(declared) do
      if split(child) == queue then
        spend(0.5)
        local job = redis.pcall('HMGET', job_key(child, id), '_status', '_parent')
        if job[2] == me and not ENDED[job[1]] then return true end
      end
    end
  end
  return false
end

-- Ends the check of a parent's children, of which `waiting` are on their way. Where none is, the parent goes on: what
-- may still be pending is no child of its own.
local function end_of_children(queue, id, me, pending, jobs, waiting)
  redis.call('SREM', pending, INCOMPLETE)
  if waiting > 0 then return end
  if awaits_others(queue, me, pending) then return end
  redis.call('DEL', pending)
  report(queue, id, 'joined')
  spend(#jobs / 400)
  join(me)
end

-- Checks children in the order of creation, from the offset `from` on; `waiting` of those before are on their way.
-- Returns the offset at which to go on and how many wait by now, or nothing when the parent is finished with.
local function check_children(queue, id, me, key, pending, jobs, from, waiting)
  local incomplete = redis.call('SISMEMBER', pending, INCOMPLETE) == 1
  while true do
    if checks >= MOST_CHECKS then return from, waiting end
    local _, last, job = string.find(jobs, '"([^"]+)"', from)
    if not last then break end
    from = last + 1
    local of, child = named_child(queue, job)
    spend(0.2)
    if of and incomplete and redis.pcall('HEXISTS', key .. ':children:' .. queue, child) ~= 1
      and redis.call('SADD', pending, child) == 1 then
      report(of, child, 'pending')
    end
    if of and redis.call('SISMEMBER', pending, child) == 1 then
      spend(0.7)
      local word, child_result = ending_of(of, child, me)
      if word then
        report(of, child, 'settled')
        spend(2)
        settle(of, child, me, word, child_result)
        if redis.call('HGET', key, '_status') ~= 'children' then
          spend(#jobs / 400)
          return leave_pending(pending)
        end
      else
        waiting = waiting + 1
      end
    end
  end
  end_of_children(queue, id, me, pending, jobs, waiting)
end

-- Checks one parent, or goes on with it; returns as check_children does.
local function check_parent(queue, member, from, waiting)
  local flow, id = flow_and_id(flow_of(queue), member)
  local me, key = flow .. ':' .. id, job_key(flow, id)
  local pending = flows_key('pending', me)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', 'children:' .. queue .. ':jobs')
  spend(1)
  if job[1] ~= 'children' or job[2] ~= queue then
    if job.err or redis.call('EXISTS', key) == 0 then
      parent_gone(me, queue)
      leave_pending(pending)
      return report(queue, id, 'gone')
    end
    redis.call('ZREM', queue_key(queue, 'children'), member)
    return report(queue, id, 'misplaced')
  end
  if from == 1 then
    local left = refreshes_left
    if ttl ~= '0' then refresh_lookups(flow, job[3], ttl) end
    spend((left - refreshes_left) / 10)
    if redis.call('SCARD', pending) == 0 then redis.call('SADD', pending, INCOMPLETE) end
  end
  return check_children(queue, id, me, key, pending, job[4] or '', from, waiting)
end

-- Returns the rank at which to go on, after or with the last parent that was checked, and the offset in its children.
local function rank_of(queue, score, id, from)
  local key = queue_key(queue, 'children')
  local rank = redis.call('ZRANK', key, id)
  if rank then return from > 0 and rank or rank + 1, from end
  local flow, parent = flow_and_id(flow_of(queue), id)
  redis.pcall('SREM', flows_key('pending', flow .. ':' .. parent), INCOMPLETE)
  return redis.call('ZCOUNT', key, '-inf', '(' .. score), 0
end

-- Reconciles parents from a cursor on: score and id of the last parent, and the offset in its children, 0 where all
-- were checked.
local function reconcile_parents(queue, cursor)
  local key = queue_key(queue, 'children')
  local score, from, waiting, id = string.match(cursor, '^(%S+) (%d+) (%d+) (.*)$')
  local rank = 0
  from, waiting = tonumber(from or 0), tonumber(waiting)
  if score then rank, from = rank_of(queue, score, id, from) else cursor = '-inf 0 0 ' end
  spend(1)
  local page = redis.call('ZRANGE', key, rank, rank + PAGE - 1, 'WITHSCORES')
  for i = 1, #page, 2 do
    if checks >= MOST_CHECKS then return cursor end
    id, score = page[i], page[i + 1]
    local next_from, next_waiting
    try(queue, id, function()
      next_from, next_waiting = check_parent(queue, id, math.max(from, 1), from > 0 and waiting or 0)
    end)
    from = 0
    cursor = score .. ' ' .. (next_from or 0) .. ' ' .. (next_waiting or 0) .. ' ' .. id
    if next_from then return cursor end
  end
  if #page == 2 * PAGE then return cursor end
end

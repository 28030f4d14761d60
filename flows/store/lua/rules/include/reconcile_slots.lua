-- Reconciles the slots of a queue with rules: what jobs hold is what stands in `flows:slots`, and only jobs in
-- `processing` hold any. Loads are counted anew from that.
--@ exports: reconcile_slots
--@ include: reconcile_step member keys rules spots type wake

-- So many slots are counted in one step; where more are held, loads are left as they are.
local MOST_COUNTED = 5000
-- So many running jobs are looked at for slots that were lost.
local MOST_RUNNING = 1000

-- Frees slots of ids that are not in `processing`; returns the cursor of the next ones.
local function free_lost(job_queue, cursor)
  local slots, running = flows_key('slots', job_queue), queue_key(job_queue, 'processing')
  local page, ids = redis.call('HSCAN', slots, cursor, 'COUNT', PAGE), {}
  for i = 1, #page[2], 2 do ids[#ids + 1] = page[2][i] end
  spend(#ids / 5 + 1)
  if #ids == 0 then return page[1] end
  for i, lease_end in ipairs(redis.call('ZMSCORE', running, unpack(ids))) do
    if not lease_end then
      redis.call('HDEL', slots, ids[i])
      report(job_queue, ids[i], 'slot')
    end
  end
  return page[1]
end

-- Returns what a running job should hold, as it stands in `flows:slots`; nothing where it is its one slot alone.
local function held_by(job_queue, member, rule)
  local _, group = spot_of(job_queue, member)
  local text = redis.pcall('HGET', job_key(flow_and_id(flow_of(job_queue), member)), '_cost')
  local cost = type(text) == 'string' and tonumber(text) or 1
  if rule.per_group <= 0 then group = '' end
  if group == '' and (cost == 1 or rule.slots <= 0) then return nil end
  return string.format('%d %s', math.max(1, cost), group)
end

-- Writes slots of running jobs that were lost.
local function restore_lost(job_queue, rule)
  local running = queue_key(job_queue, 'processing')
  if redis.call('ZCARD', running) > MOST_RUNNING then return end
  local ids = redis.call('ZRANGE', running, 0, -1)
  if #ids == 0 then return end
  spend(#ids / 3)
  for i, held in ipairs(redis.call('HMGET', flows_key('slots', job_queue), unpack(ids))) do
    local should = not held and held_by(job_queue, ids[i], rule)
    if should then
      redis.call('HSET', flows_key('slots', job_queue), ids[i], should)
      report(job_queue, ids[i], 'slot')
    end
  end
end

-- Counts loads anew: of each group, and beyond one slot each.
local function recount_loads(job_queue)
  local slots, key = flows_key('slots', job_queue), flows_key('load', job_queue)
  if redis.call('HLEN', slots) > MOST_COUNTED then return end
  local loads, beyond = {}, 0
  for _, held in ipairs(redis.call('HVALS', slots)) do
    local cost, group = string.match(held, '^(%d+) ?(.*)$')
    if cost then
      beyond = beyond + cost - 1
      if group ~= '' then loads[group] = (loads[group] or 0) + cost end
    end
  end
  if beyond > 0 then loads[''] = beyond end
  local found, wrong = redis.call('HGETALL', key), false
  spend(#found / 20 + 1)
  for i = 1, #found, 2 do
    local group = found[i]
    if tonumber(found[i + 1]) ~= (loads[group] or 0) then
      wrong = true
      if not loads[group] then redis.call('HDEL', key, group) end
    else
      loads[group] = nil
    end
  end
  for group, n in pairs(loads) do
    redis.call('HSET', key, group, n)
    wrong = true
  end
  if not wrong then return end
  report(job_queue, '', 'counted')
  wake(job_queue)
end

local function reconcile_slots(job_queue, cursor)
  local rule = RULES[job_queue]
  for _, kind in ipairs({ 'slots', 'load' }) do
    local wrong = conflict('hash', flows_key(kind, job_queue))
    if wrong then return report(job_queue, '', 'error ' .. wrong) end
  end
  local more = free_lost(job_queue, cursor == '' and '0' or cursor)
  if more ~= '0' then return more end
  if rule.slots > 0 or rule.per_group > 0 then restore_lost(job_queue, rule) end
  recount_loads(job_queue)
end

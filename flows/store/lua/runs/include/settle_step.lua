-- Something that a step of a run waits for has come: the step gets its record, and the run goes on. The one file that
-- writes records for steps from outside.
--@ exports: settle_parents settle_child settle_wait is_waiting
--@ needs: root
--@ include: keys clock status place told open_steps kept_slots

--@ lazy

-- Over so many children, or bytes, the replay reads their results in pages.
local MOST_INLINE, MOST_BYTES = 500, 1048576
local WAITING = '{"status":"waiting"'

local function is_waiting(record) return type(record) == 'string' and string.sub(record, 1, #WAITING) == WAITING end

-- Returns `_attempt` of a run that waits again from now on, and whether it has begun.
local function from_now(text)
  local counted, path = string.match(text or '', '^(%d+ %S+ %d+ %d+ %d+) %d+ (%S+)$')
  if not counted then return text or '', true end
  return counted .. ' ' .. now_text .. ' ' .. path, string.sub(counted, 1, 2) ~= '0 '
end

-- Lets a run go on that was put aside: it waits again, before those that have not begun. One that is being worked on is
-- told of it: its worker reads what has come.
local function resume(run_id)
  local key = job_key(root, run_id)
  local status, job_queue, text = unpack(redis.pcall('HMGET', key, '_status', '_queue', '_attempt'))
  told_of(key, status or 'waiting')
  if status == 'processing' and job_queue then
    redis.pcall('SPUBLISH', flows_key('cancel', job_queue), run_id)
  end
  -- What something else stands in the way of is promoted when it is due: nothing rolls back here.
  if status ~= 'delayed' or not job_queue or place_conflict(job_queue) then return end
  if redis.pcall('ZREM', queue_key(job_queue, 'delayed'), run_id) ~= 1 then return end
  return_with_slot(job_queue, run_id)
  local attempt, begun = from_now(text)
  move(key, 'delayed', 'waiting', '_attempt', attempt)
  if begun then put_first(job_queue, { run_id }) else put(job_queue, run_id) end
end

local function order_of(key) return string.format('%d', redis.call('HINCRBY', key, '_come', 1)) end

-- Settles a step that still waits: one that was decided meanwhile keeps what it has. The record keeps its kind, when the
-- step began, and how long it has waited: what waits for its turn has none of these. `tail` are the members that
-- follow; `quietly`, where the run's own attempt is answered. Returns whether it was settled.
local function settle_wait(run_id, step, tail, quietly)
  local key = job_key(root, run_id)
  local field = 'step:' .. step
  local was = redis.pcall('HGET', key, field)
  if not is_waiting(was) then return false end
  local begun, begun_at = string.match(was, '("kind":"%l+","at":(%d+))')
  if begun_at then begun = string.format('%s,"ms":%d', begun, math.max(0, time - begun_at)) end
  begun = begun or string.match(was, '"kind":"[^t]%l+"') or '"kind":"workflow"'
  redis.call('HSET', key, field, '{"status":"done","order":' .. order_of(key) .. ',' .. begun .. ',' .. tail .. '}')
  if not quietly then resume(run_id) end
  return true
end

local DONE = '^{"id":"[^"]*","status":"done"'

-- Returns the results of all children, in their order; nothing where they are too many, or take too many bytes, or where
-- one is not done: a retry of the run begins those again.
local function results_of(side, total)
  if total > MOST_INLINE then return nil end
  local fields, bytes = {}, 0
  for i = 1, total do fields[i] = string.format('%d', i - 1) end
  local results = redis.call('HMGET', side, unpack(fields))
  for i = 1, total do
    if not results[i] or not string.find(results[i], DONE) then return nil end
    bytes = bytes + #results[i]
  end
  if bytes <= MOST_BYTES then return table.concat(results, ',') end
end

-- The last child has settled: the step has its results, inline or in the hash that stays as long as the run.
local function settle_all(run_id, key, step, side, total)
  local results = results_of(side, total)
  local tail = string.format('"total":%d', total)
  if results then
    redis.call('DEL', side)
    tail = tail .. ',"children":[' .. results .. ']'
  else
    keep_side(run_id, key, step)
  end
  forget_open(key, step)
  redis.call('DEL', next_key(run_id, step))
  settle_wait(run_id, step, tail)
end

-- Lets the next child begin that the limit of a step keeps back; one that has ended meanwhile is passed over.
local function let_out(run_id, step, side)
  while true do
    local next_id = redis.pcall('LPOP', next_key(run_id, step))
    if type(next_id) ~= 'string' then return redis.call('HINCRBY', side, 'out', -1) end
    if redis.pcall('HDEL', job_key(root, next_id), '_limited') == 1 then return resume(next_id) end
  end
end

-- One child of a step has ended: it counts once, since its field holds its id until then.
local function settle_child(run_id, step, index, child_id, result)
  local key = job_key(root, run_id)
  local side = key .. ':children:' .. step
  local held, left, total, out = unpack(redis.pcall('HMGET', side, index, 'left', 'total', 'out'))
  left, total = tonumber(left), tonumber(total)
  if held ~= child_id or not (left and total) then return end
  left = left - 1
  redis.call('HSET', side, index, result, 'left', left)
  local was = redis.pcall('HGET', key, 'step:' .. step)
  if not is_waiting(was) then return end
  if left == 0 then return settle_all(run_id, key, step, side, total) end
  told_of(key, redis.call('HGET', key, '_status') or 'waiting')
  if out and redis.pcall('HDEL', job_key(root, child_id), '_limited') ~= 1 then let_out(run_id, step, side) end
end

-- Settles the steps that wait for a run that has ended: a line `<run id> <step> <index>` each, with the index `-` where
-- the step waits for this run alone and has no hash of children.
local function settle_parents(run_id, lines, result)
  for parent_id, step, index in string.gmatch(lines, '(%S+) ([^\n]+) (%S+)') do
    if index == '-' then
      settle_wait(parent_id, step, '"total":1,"children":[' .. result .. ']')
    else
      settle_child(parent_id, step, index, run_id, result)
    end
  end
end

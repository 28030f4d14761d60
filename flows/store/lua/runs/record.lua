-- Writes what runs of one process have done: records of steps, waits for events, and the children that steps start. Safe to
-- send twice: an attempt writes the same values, and a child stands once at its index. Of a run that is refused, nothing is
-- written.
-- Answers a word per run, how many things have come for it from outside, and why it was refused: for `different` the id of
-- the run that has a child's key, for `conflict` and `changed` a sentence.
--@ args: ns now root flow settings
--@ rest: of each run: worker, id, fence; fields and values, counted; waits for events, counted; how many steps start
--@ rest: children, and of each the step, how many there are in all, its limit (0: none), 1 where it waits for them, how
--@ rest: many come here, and of each its index and the run
--@ returns: answers:list<[word:word come:int about:text]>
--@ words: ok | stale | gone | malformed | changed | different | conflict
--@ include: arguments take_run start_run settle_step open_steps event_waits keys told type

-- Returns the key of a run that this attempt has, its field `_open` and how many things have come; or nothing and the word.
local function held_by(worker, id, fence)
  local key = job_key(root, id)
  local job = redis.pcall('HMGET', key, '_status', '_attempt', '_open', '_come')
  if job.err then return nil, 'malformed' end
  if job[1] ~= 'processing' or string.find(job[2] or '', fence .. ' ' .. worker .. ' ', 1, true) ~= 1 then
    return nil, redis.call('EXISTS', key) == 0 and 'gone' or 'stale'
  end
  return key, job[3], tonumber(job[4] or 0)
end

local function take_parts()
  local parts = {}
  for i = 1, tonumber(take()) do
    local part = { step = take(), total = tonumber(take()), limit = tonumber(take()), waited = take() == '1' }
    for n = 1, tonumber(take()) do
      local index = take()
      part[n] = take_run()
      part[n].index = index
    end
    parts[i] = part
  end
  return parts
end

-- Looks for the runs that have the keys of children. Returns the word and why, where one of these cannot be written.
local function child_conflict(run)
  local wrong = start_conflict(run)
  if wrong then return 'conflict', wrong end
  if redis.call('EXISTS', job_key(root, run.id)) == 1 then
    run.there = true
    return nil
  end
  local other, same = run_of_key(run)
  if other and not same then return 'different', other end
  run.other = other
end

local function part_conflict(id, key, part)
  if part.waited then
    local side = key .. ':children:' .. part.step
    local wrong = conflict('hash', side) or conflict('list', next_key(id, part.step))
    if wrong then return 'conflict', wrong end
    local total = redis.call('HGET', side, 'total')
    if total and tonumber(total) ~= part.total then return 'changed', 'the step has started ' .. total .. ' runs' end
  end
  for _, run in ipairs(part) do
    local word, why = child_conflict(run)
    if word then return word, why end
  end
end

-- Joins the run that has the key of a child: it settles the step when it ends, or has ended.
local function join_run(id, step, index, other)
  local key = job_key(root, other)
  local job = redis.call('HMGET', key, '_status', '_parents', 'output', '_error')
  local result = '{"id":"' .. other .. '","status":"'
  if job[1] == 'done' then
    settle_child(id, step, index, other, result .. 'done","result":' .. (job[3] or 'null') .. '}')
  elseif job[1] == 'failed' then
    settle_child(id, step, index, other, result .. 'failed","error":' .. (job[4] or 'null') .. '}')
  elseif job[1] == 'cancelled' then
    settle_child(id, step, index, other, result .. 'cancelled"}')
  else
    local line = id .. ' ' .. step .. ' ' .. index
    redis.call('HSET', key, '_parents', job[2] and job[2] .. '\n' .. line or line)
  end
end

-- Starts children that the step waits for, as many at once as its limit says.
local function begin_waited(id, key, part)
  local step, limit = part.step, part.limit
  local side = key .. ':children:' .. step
  if redis.call('HSETNX', side, 'total', part.total) == 1 then redis.call('HSET', side, 'left', part.total) end
  add_open(key, step)
  local marks = redis.call('HMGET', side, 'out', 'built')
  local out, built = tonumber(marks[1]) or 0, tonumber(marks[2]) or 0
  local others = {}
  for _, run in ipairs(part) do
    if redis.call('HSETNX', side, run.index, run.other or run.id) == 1 then
      built = built + 1
      if run.other then
        others[#others + 1] = run
      elseif not run.there then
        run.fields[#run.fields + 1] = '_parents'
        run.fields[#run.fields + 1] = id .. ' ' .. step .. ' ' .. run.index
        run.back = limit > 0 and out >= limit
        start_run(run)
        if run.back then redis.call('RPUSH', next_key(id, step), run.id) else out = out + 1 end
      end
    end
  end
  redis.call('HSET', side, 'built', built)
  if limit > 0 then redis.call('HSET', side, 'out', out) end
  for _, run in ipairs(others) do join_run(id, step, run.index, run.other) end
end

-- Starts runs that the step does not wait for; with a key, its record names the one that has it.
local function begin_emitted(id, part)
  for _, run in ipairs(part) do
    if not run.there and not run.other then start_run(run) end
    if run.key ~= '' then settle_wait(id, part.step, '"result":"' .. (run.other or run.id) .. '"', true) end
  end
end

-- A step that was decided otherwise waits for its children no more: they go on, and those that its limit keeps back never
-- begin.
local function withdraw(id, key, fields, open)
  for i = 1, #fields, 2 do
    local step = string.match(fields[i], '^step:(.+)$')
    if step and not is_waiting(fields[i + 1]) and string.find('\n' .. open .. '\n', '\n' .. step .. '\n', 1, true) then
      redis.call('DEL', key .. ':children:' .. step)
      drop_next(id, step)
      forget_open(key, step)
    end
  end
end

-- Writes fields and values from `list[from]` to `list[to]`. What is to be undone is undone, whether the run has failed or
-- was to be cancelled: nothing stops that.
local function write_fields(key, list, from, to)
  if to < from then return end
  redis.call('HSET', key, unpack(list, from, to))
  for i = from, to, 2 do
    if list[i] == '_failing' then return redis.call('HDEL', key, '_cancel') end
  end
end

local function write(id, key, open, come, fields, awaited, parts)
  if open then withdraw(id, key, fields, open) end
  if #awaited > 0 then look_for_events(id, key, awaited, fields, come, false) end
  write_fields(key, fields, 1, #fields)
  for _, part in ipairs(parts) do
    if part.waited then begin_waited(id, key, part) else begin_emitted(id, part) end
  end
  told_of(key, 'processing')
  return { 'ok', tonumber(redis.call('HGET', key, '_come')) or 0, '' }
end

-- Most writes are records alone: nothing is copied for these.
local function record()
  local worker, id, fence = take(), take(), take()
  local key, open, come = held_by(worker, id, fence)
  local from = at + 1
  local after = from + tonumber(rest[at])
  if key and not open and rest[after] == '0' and rest[after + 1] == '0' then
    at = after + 2
    write_fields(key, rest, from, after - 1)
    told_of(key, 'processing')
    return { 'ok', come, '' }
  end
  local fields, awaited, parts = take_counted(), take_counted(), take_parts()
  if not key then return { open, 0, '' } end
  local wrong = waits_conflict(awaited)
  if wrong then return { 'conflict', 0, wrong } end
  for _, part in ipairs(parts) do
    local word, why = part_conflict(id, key, part)
    if word then return { word, 0, why } end
  end
  return write(id, key, open, come, fields, awaited, parts)
end

expect('hash', flows_key('cancelling', root))
local answers = {}
while at <= #rest do answers[#answers + 1] = record() end
put_started()
tell()
return answers

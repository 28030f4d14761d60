-- Forgets steps of a run: their records, and what stands beside it for those that still wait.
--@ exports: forget_steps forget_undone
--@ include: open_steps clock

--@ lazy

local MOST_FIELDS = 1000
local DONE = '^{"id":"[^"]*","status":"done"'

local function forget(key, fields)
  for i = 1, #fields, MOST_FIELDS do
    redis.call('HDEL', key, unpack(fields, i, math.min(#fields, i + MOST_FIELDS - 1)))
  end
end

-- Forgets all steps.
local function forget_steps(run_id, key)
  local marks = redis.call('HMGET', key, '_open', '_waits')
  if marks[1] or marks[2] then close_steps(run_id, key, marks[1], marks[2]) end
  local fields = { '_open', '_waits', '_failing' }
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local step = string.match(field, '^step:(.+)$')
    if step then
      fields[#fields + 1] = field
      if string.find(redis.call('HGET', key, field), '^{"status":"done","order":%d+,"kind":"[wm]') then
        redis.call('DEL', key .. ':children:' .. step)
      end
    end
  end
  forget(key, fields)
end

-- Lets a step wait again for its children that did not end as done. Returns whether there are any.
local function begin_children_again(key, step)
  local side, failed = key .. ':children:' .. step, {}
  local found = redis.pcall('HGETALL', side)
  for i = 1, #found, 2 do
    if string.find(found[i], '^%d') and not string.find(found[i + 1], DONE) then failed[#failed + 1] = found[i] end
  end
  if #failed == 0 then return false end
  forget(side, failed)
  redis.call('HSET', side, 'left', #failed, 'out', 0)
  return true
end

-- Of so many visits that are over, and of so many steps of each, it is kept what they were.
local MOST_VISITS, MOST_STEPS = 9, 100

-- Returns a record without its last member: a result, an error or the results of children.
local function head_of(record)
  local cut = #record
  for _, member in ipairs({ 'result', 'error', 'children' }) do
    cut = math.min(cut, string.find(record, ',"' .. member .. '":', 1, true) or cut)
  end
  return string.sub(record, 1, cut - 1) .. '}'
end

-- Keeps a line of a visit that is over: how and when it ended, when the next one begins, and the heads of the records
-- that are forgotten.
local function keep_visit(key, records, fields)
  local over_at, why, reason, past = unpack(redis.call('HMGET', key, '_ended', '_error', '_reason', '_past'))
  local steps = {}
  for _, field in ipairs(fields) do
    local step = string.match(field, '^step:(.+)$')
    if step and records[step] and #steps < MOST_STEPS then
      steps[#steps + 1] = cjson.encode(step) .. ':' .. head_of(records[step])
    end
  end
  local line = string.format(
    '{"ended":%s,"next":%s,"as":"%s","error":%s,"steps":{%s}}',
    over_at or 'null', now_text, reason and 'cancelled' or 'failed',
    string.match(why or '', '"type":("[^"\\]*")') or 'null', table.concat(steps, ',')
  )
  local lines = { line }
  for other in string.gmatch(past or '', '[^\n]+') do lines[#lines + 1] = other end -- the newest one first
  redis.call('HSET', key, '_past', table.concat(lines, '\n', 1, math.min(#lines, MOST_VISITS)))
end

-- Forgets what a failure was followed by, the steps that were undone then, and the children that did not end as done: a
-- new visit runs those again. What still waits goes on to wait.
local function forget_undone(key)
  local records, fields = {}, { '_failing' }
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local step = string.match(found[i], '^step:(.+)$')
    if step then records[step] = found[i + 1] end
  end
  for step, record in pairs(records) do
    local undone = string.match(step, '^undo:(.+)$')
    if undone then
      fields[#fields + 1] = 'step:' .. step
      fields[#fields + 1] = 'step:' .. undone
    elseif step == 'on_failure' then
      fields[#fields + 1] = 'step:' .. step
    elseif string.find(record, '^{"status":"done","order":%d+,"kind":"[wm]') and begin_children_again(key, step) then
      fields[#fields + 1] = 'step:' .. step
    end
  end
  keep_visit(key, records, fields)
  forget(key, fields)
  each_open(redis.call('HGET', key, '_open'), function(step) redis.call('PERSIST', key .. ':children:' .. step) end)
end

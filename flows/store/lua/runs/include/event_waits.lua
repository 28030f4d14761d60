-- Lets steps of a run wait for events: those that are there become records at once, the run joins the waiters of the others.
--@ exports: waits_conflict look_for_events
--@ include: keys type events open_steps

--@ lazy

-- Waits are a list: of each the step, the event with its key, the position, and the ms before the run's creation.

-- Returns a sentence where what waiting for events reads or writes is not ours.
local function waits_conflict(awaited)
  for i = 1, #awaited, 4 do
    local wrong = conflict('stream', flows_key('event', awaited[i + 1])) or conflict('hash', flows_key('waiters', awaited[i + 1]))
    if wrong then return wrong end
  end
end

-- Returns the record by which a step waits: it may be written by this call.
local function record_of(key, field, fields)
  for i = 1, #fields, 2 do
    if fields[i] == field then return fields[i + 1] end
  end
  return redis.call('HGET', key, field)
end

-- Adds to `fields` what is to be written to the run's hash, which had `come` things from outside; `whole` says that these
-- are all of its waits. Returns how many events were there.
local function look_for_events(run_id, key, awaited, fields, come, whole)
  local there, lines, before = 0, {}, redis.call('HGET', key, '_waits')
  if before and whole then
    forget_waits(run_id, before)
  elseif before then
    lines[1] = before
  end
  for i = 1, #awaited, 4 do
    local step, name = awaited[i], awaited[i + 1]
    local position = position_of(key, name, awaited[i + 2], awaited[i + 3])
    local found = event_after(name, position)
    if found then
      there = there + 1
      local field = 'step:' .. step
      local begun = string.match(record_of(key, field, fields) or '', '"kind":"%l+","at":%d+') or '"kind":"event"'
      fields[#fields + 1] = field
      fields[#fields + 1] = string.format('{"status":"done","order":%d,%s,', come + there, begun) .. event_tail(found) .. '}'
      fields[#fields + 1] = taken_field(name)
      fields[#fields + 1] = found[1]
    else
      redis.call('HSET', flows_key('waiters', name), run_id .. ' ' .. step, position)
      local line = step .. '\n' .. name
      -- A call that is sent twice has it there already.
      if not lines[1] or not string.find('\n' .. lines[1] .. '\n', '\n' .. line .. '\n', 1, true) then
        lines[#lines + 1] = line
      end
    end
  end
  if #lines > 0 then
    fields[#fields + 1] = '_waits'
    fields[#fields + 1] = table.concat(lines, '\n')
  elseif before then
    redis.call('HDEL', key, '_waits')
  end
  if there > 0 then
    fields[#fields + 1] = '_come'
    fields[#fields + 1] = string.format('%d', come + there)
  end
  return there
end

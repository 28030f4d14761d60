-- Cancels the runs that a cancelled run waits for, and those that a limit keeps back for steps that nobody waits for any
-- more, up to 100 a call; called until none is left. Where there are none, goes on with events that their senders have
-- not told to all.
-- Answers the run as <flow>:<id> (any, where none was named; '' where there is none), 1 while more are left, how many were
-- cancelled or asked to stop, and which of them wait for others.
--@ flags: allow-oom
--@ keys: cancelling
--@ args: ns now root flow settings parent
--@ returns: parent:text more:int count:int parents:list<text>
--@ include: cancel_job keys type count told open_steps deliver

local MOST, MOST_SEEN = 100, 2000

expect('hash', cancelling)

-- Goes on with an event whose sender was lost.
local function go_on_with_events()
  local sending = flows_key('sending', root)
  local name = redis.pcall('HRANDFIELD', sending)
  if type(name) ~= 'string' then return end
  local cursor, settled
  for _ = 1, 5 do
    cursor, settled = deliver(name, cursor or '0')
    if cursor == '0' or settled > 0 then break end
  end
  if cursor == '0' then redis.call('HDEL', sending, name) end
end

local function cancel_kept_back(name)
  local ids = redis.pcall('LPOP', flows_key('next', name), MOST)
  local list = type(ids) == 'table' and not ids.err and ids or {}
  for _, id in ipairs(list) do cancel_job(root, '', id, 'nobody waits for it any more') end
  return #list
end

-- Cancels the children of open steps from `<index> <step>` on; returns where to go on, or nothing at the end.
local function cancel_children(key, reason, from, cancelled, parents)
  local first_index, first_step = string.match(from, '^(%d+) (.+)$')
  local steps, first = {}, 1
  local open = redis.pcall('HGET', key, '_open')
  if type(open) ~= 'string' then return nil end -- it is gone, or its key holds something else
  each_open(open, function(step)
    steps[#steps + 1] = step
    if step == first_step then first = #steps end
  end)
  -- A step whose children have all settled is not open any more: none is passed over for it.
  first_index = steps[first] == first_step and tonumber(first_index) or 0
  local seen = 0
  for n = first, #steps do
    local side = key .. ':children:' .. steps[n]
    local total = tonumber(redis.pcall('HGET', side, 'total')) or 0
    for index = n == first and first_index or 0, total - 1 do
      if #cancelled >= MOST or seen >= MOST_SEEN then return index .. ' ' .. steps[n] end
      seen = seen + 1
      local id = redis.pcall('HGET', side, index)
      if type(id) == 'string' and string.sub(id, 1, 1) ~= '{' then
        local word, more = cancel_job(root, '', id, reason)
        if word == 'cancelled' or word == 'requested' then cancelled[#cancelled + 1] = id end
        if more then parents[#parents + 1] = root .. ':' .. id end
      end
    end
  end
end

if parent == '' then parent = redis.call('HRANDFIELD', cancelling) or '' end
local from = redis.call('HGET', cancelling, parent)
if not from then
  if parent == '' then go_on_with_events() end
  tell()
  return { '', 0, 0, {} }
end
local cancelled, parents, goes_on, n = {}, {}
if string.sub(parent, 1, #NEXT) == NEXT then
  n = cancel_kept_back(string.sub(parent, #NEXT + 1))
  goes_on = n == MOST and '1' or nil
else
  local _, run_id = split(parent)
  local key = job_key(root, run_id)
  local reason = redis.pcall('HGET', key, '_reason')
  if type(reason) ~= 'string' then reason = 'the run that waits for it is cancelled' end
  goes_on = cancel_children(key, reason, from, cancelled, parents)
  n = #cancelled
end
if goes_on then redis.call('HSET', cancelling, parent, goes_on) else redis.call('HDEL', cancelling, parent) end
write_counts()
tell()
return { parent, goes_on and 1 or 0, n, parents }

-- The steps of a run whose children have not all settled, in its field `_open`, and the events that it waits for, in
-- `_waits`: what stands beside the hash for them goes when they are decided, and when the run ends.
--@ exports: NEXT next_key each_open add_open forget_open keep_side drop_next close_steps forget_waits
--@ needs: root
--@ include: keys life clock

-- Begins the fields of `flows:cancelling` that name a list of children, and no run.
local NEXT = 'next '

--@ lazy

-- The list of children that the limit of a step keeps back.
local function next_key(run_id, step) return flows_key('next', run_id .. ':' .. step) end

local function each_open(open, fn)
  for step in string.gmatch(open or '', '[^\n]+') do fn(step) end
end

local function add_open(key, step)
  local open = redis.call('HGET', key, '_open')
  if open and string.find('\n' .. open .. '\n', '\n' .. step .. '\n', 1, true) then return end
  redis.call('HSET', key, '_open', open and open .. '\n' .. step or step)
end

local function forget_open(key, step)
  local left = {}
  each_open(redis.call('HGET', key, '_open'), function(one)
    if one ~= step then left[#left + 1] = one end
  end)
  if #left == 0 then
    redis.call('HDEL', key, '_open')
  else
    redis.call('HSET', key, '_open', table.concat(left, '\n'))
  end
end

-- Lets the hash of a step's children stay as long as the run.
local function keep_side(run_id, key, step)
  local line = SIDE_LINE .. run_id .. ':children:' .. step
  local lookups = redis.call('HGET', key, '_lookups')
  if lookups and string.find('\n' .. lookups .. '\n', '\n' .. line .. '\n', 1, true) then return end
  redis.call('HSET', key, '_lookups', lookups and line .. '\n' .. lookups or line)
end

-- The text has two lines for each event: the step, and the event with its key.
local function forget_waits(run_id, text)
  for step, name in string.gmatch(text, '([^\n]+)\n([^\n]+)') do
    redis.pcall('HDEL', flows_key('waiters', name), run_id .. ' ' .. step)
  end
end

-- Has `cascade` cancel the children that the limit of a step keeps back: nobody waits for them any more.
local function drop_next(run_id, step)
  local from, name = next_key(run_id, step), run_id .. ':' .. step .. ':' .. now_text
  if redis.call('EXISTS', from) == 0 then return end
  redis.call('RENAME', from, flows_key('next', name))
  redis.call('HSET', flows_key('cancelling', root), NEXT .. name, 1)
end

-- Closes the steps of a run that has ended, or begins anew: nobody waits for their children any more. Their hashes stay
-- for `kept`, or not at all.
local function close_steps(run_id, key, open, waited, kept)
  if waited then forget_waits(run_id, waited) end
  each_open(open, function(step)
    local side = key .. ':children:' .. step
    if kept then redis.call('PEXPIRE', side, kept) else redis.call('DEL', side) end
    drop_next(run_id, step)
  end)
end

-- Lets no job of a queue start until a time, or of one group of it; of two holds the later one counts. Jobs that run go
-- on, and others come as before. The time is in `delay_ms`, or where that is -1, at the server's time `until_ms`; a
-- delay of 0 ends a hold. A group is named by its text, or by a job of it: then `field` is what the queue is grouped by.
-- A queue without rules is paused so long, unless it is paused for longer already.
-- Answers `no group` where the job has no value of the field.
--@ flags: allow-oom
--@ args: ns now flow queue delay_ms until_ms scope group id field priorities
--@ returns: answer:word
--@ words: held | ended | no group
--@ include: clock keys type wake

-- A text of a group that is longer stands as its digest: as `place_of` has it.
local MOST_BYTES = 200
-- Tells a hold from what a limit parks until a whole millisecond.
local MARK = 0.5

local delay = tonumber(delay_ms)
local ends = delay == 0
local due = delay < 0 and tonumber(until_ms) or time + delay

local function hold_ruled()
  local meta = queue_key(queue, 'meta')
  expect('hash', meta)
  if ends then
    redis.call('HDEL', meta, 'held')
  elseif (tonumber(redis.call('HGET', meta, 'held')) or 0) < due then
    redis.call('HSET', meta, 'held', string.format('%d', due))
  end
end

local function hold_plain()
  local meta = queue_key(queue, 'meta')
  expect('hash', meta)
  local found = redis.call('HMGET', meta, 'paused', 'paused_note')
  local paused = tonumber(found[1]) or 0 -- `inf` is a number too
  if ends then
    if found[2] == 'held' then redis.call('HDEL', meta, 'paused', 'paused_at', 'paused_note') end
  elseif paused < due then
    redis.call('HSET', meta, 'paused', string.format('%d', due), 'paused_at', now_text, 'paused_note', 'held')
  end
end

-- Parks the group, or lets it come back at the next look; it may be parked already, until a time or until a slot is free.
local function hold_group(name)
  local parked = flows_key('parked', queue)
  expect('zset', parked)
  for band = 1, tonumber(priorities) do expect('zset', flows_key('ring', queue .. '/' .. band)) end
  for band = 1, tonumber(priorities) do
    local member = band .. '/' .. name
    local at_ms = tonumber(redis.call('ZSCORE', parked, member)) or 0
    if not ends then
      if at_ms == 1 / 0 or at_ms < due then redis.call('ZADD', parked, string.format('%.1f', due + MARK), member) end
      redis.call('ZREM', flows_key('ring', queue .. '/' .. band), name)
    elseif at_ms % 1 == MARK then
      redis.call('ZADD', parked, 0, member)
    end
  end
end

-- Returns the text of the group that was named, or nothing.
local function named_group()
  if group ~= '' then return group end
  local value = redis.pcall('HGET', job_key(flow, id), field)
  if type(value) ~= 'string' or value == 'null' then return nil end
  return #value > MOST_BYTES and redis.sha1hex(value) or value
end

if scope == 'group' then
  local name = named_group()
  if not name then return 'no group' end
  hold_group(name)
elseif priorities == '0' then
  hold_plain()
else
  hold_ruled()
end
wake(queue) -- who sleeps until an earlier time looks again
return ends and 'ended' or 'held'

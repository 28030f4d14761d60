-- Adds to the history of a queue what one process has seen since its last heartbeat, and what the queue holds now.
-- A field is a minute, ten minutes or an hour: `<totals>|<what it holds>|<time to start>|<run time>`. Numbers have the
-- base 36, and 0 is empty; a histogram is the first bucket that is used, and the counts up to the last one. After what
-- it holds stands how many milliseconds of the minute had passed when that was looked at.
-- Whoever opens a minute folds the last one into its ten minutes and its hour, and drops what is too old.
--@ exports: add_statistics
--@ needs: totals
--@ include: clock keys type waiting

local words = {}
for word in string.gmatch(totals, '%S+') do words[#words + 1] = word end
local DIGITS, LAST, MOST = '0123456789abcdefghijklmnopqrstuvwxyz', 33, 2 ^ 53
-- The letter of each step, how many minutes it has, and how many of them are kept.
local MINUTE, FOLDED = { 'm', 1, 120 }, { { 't', 10, 144 }, { 'h', 60, 168 } }

local function base36(n)
  if n >= MOST then return '' end
  n = math.floor(n)
  local text = ''
  while n > 0 do
    local digit = n % 36
    text = string.sub(DIGITS, digit + 1, digit + 1) .. text
    n = (n - digit) / 36
  end
  return text
end

local function add_counts(counts, text)
  local first, listed = string.match(text, '^(%d%d?):([%w,]*)$')
  if not first then return end
  local bucket = tonumber(first)
  for digits in string.gmatch(listed .. ',', '(%w*),') do
    if #digits <= 10 then counts[bucket] = (counts[bucket] or 0) + (tonumber(digits, 36) or 0) end
    bucket = bucket + 1
  end
end

local function merged(one, other)
  local counts, first, last = {}, nil, nil
  add_counts(counts, one)
  add_counts(counts, other)
  for bucket = 0, LAST do
    if (counts[bucket] or 0) > 0 then first, last = first or bucket, bucket end
  end
  if not first then return '' end
  local parts = {}
  for bucket = first, last do parts[#parts + 1] = base36(counts[bucket] or 0) end
  return first .. ':' .. table.concat(parts, ',')
end

-- Of a key that holds something else nothing is known.
local function size(command, key)
  local found = redis.pcall(command, key)
  return type(found) == 'number' and found or 0
end

local function joined(numbers)
  for i, n in ipairs(numbers) do numbers[i] = base36(n) end
  return (string.gsub(table.concat(numbers, ','), ',+$', ''))
end

local function sample(queue)
  local found = redis.pcall('HMGET', queue_key(queue, 'meta'), 'stale', unpack(words))
  local counts = {}
  for i = 1, #words do counts[i] = tonumber(found[i + 1]) or 0 end
  local stale = tonumber(found[1]) or 0
  return joined(counts), {
    (depth(queue) or 0) - stale, size('ZCARD', queue_key(queue, 'delayed')),
    size('ZCARD', queue_key(queue, 'processing')), size('ZCARD', queue_key(queue, 'children')),
  }
end

local function empty(holds)
  for _, n in ipairs(holds) do
    if n ~= 0 then return false end
  end
  return true
end

local function parts_of(value)
  local counts, holds, waits, runs = string.match(value or '', '^([^|]*)|([^|]*)|([^|]*)|([^|]*)$')
  return counts or '', holds or '', waits or '', runs or ''
end

local function field_of(step, minute) return step[1] .. string.format('%d', math.floor(minute / step[2])) end

local function fold(key, minute)
  local value = redis.call('HGET', key, field_of(MINUTE, minute))
  if not value then return end
  local counts, holds, waits, runs = parts_of(value)
  for _, step in ipairs(FOLDED) do
    local field = field_of(step, minute)
    local _, _, old_waits, old_runs = parts_of(redis.call('HGET', key, field))
    local all = { counts, holds, merged(old_waits, waits), merged(old_runs, runs) }
    redis.call('HSET', key, field, table.concat(all, '|'))
  end
end

-- Drops what is too old, or later than now, since the clock was set back. Where no minute was left out, each leaves one.
local function drop_old(key, minute, follows)
  if follows then
    redis.call('HDEL', key, field_of(MINUTE, minute - MINUTE[3]))
    for _, step in ipairs(FOLDED) do redis.call('HDEL', key, field_of(step, minute - step[2] * step[3])) end
    return
  end
  local bounds = {}
  for _, step in ipairs({ MINUTE, FOLDED[1], FOLDED[2] }) do
    local now_in = math.floor(minute / step[2])
    bounds[step[1]] = { now_in - step[3], now_in }
  end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local letter, digits = string.match(field, '^([mth])(%d+)$')
    local bound = bounds[letter]
    if bound and (tonumber(digits) <= bound[1] or tonumber(digits) > bound[2]) then redis.call('HDEL', key, field) end
  end
end

local function add_statistics(queue, waits, runs)
  local key = flows_key('stats', queue)
  if conflict('hash', key) then return end
  local minute = math.floor(time / 60000)
  local field = field_of(MINUTE, minute)
  local found = redis.call('HMGET', key, field, 'last')
  local quiet = waits == '' and runs == ''
  if quiet and found[1] then return end
  local counts, holds = sample(queue)
  local last = tonumber(found[2])
  if last ~= minute then
    local before = last and redis.call('HGET', key, field_of(MINUTE, last))
    -- Nothing is here, and nothing has happened: the last minute says all.
    if quiet and empty(holds) and counts == parts_of(before) then return end
    if last then fold(key, last) end
    drop_old(key, minute, last == minute - 1)
    redis.call('HSET', key, 'last', string.format('%d', minute))
  end
  local _, _, old_waits, old_runs = parts_of(found[1])
  holds[5] = time % 60000
  local all = { counts, joined(holds), merged(old_waits, waits), merged(old_runs, runs) }
  redis.call('HSET', key, field, table.concat(all, '|'))
end

-- Forgets the windows of groups whose tokens have all come back: those of a limiter stand in one hash, which stays as long
-- as any of them.
--@ exports: reconcile_windows
--@ include: reconcile_step clock keys rules type

-- A window stays a little longer than its tokens count: as a turn has it.
local SPARE_MS = 60000

-- Returns the last of the times that a window holds: they are greater than all numbers of tokens.
local function last_of(text)
  local _, entries = pcall(cmsgpack.unpack, text) -- or what was wrong, which is no table, or has no elements
  local last = 0
  if type(entries) ~= 'table' then return last end
  for _, number in ipairs(entries) do last = math.max(last, tonumber(number) or 0) end
  return last
end

local function forget(limiter, hash, fields)
  local over, interval = {}, math.max(limiter.interval, tonumber(redis.call('HGET', hash, '')) or 0)
  for i = 1, #fields, 2 do
    local group = fields[i]
    if group ~= '' and last_of(fields[i + 1]) + interval + SPARE_MS < time then over[#over + 1] = group end
  end
  if #over > 0 then redis.call('HDEL', hash, unpack(over)) end
end

-- The cursor: which limiter of the queue, and where in its hash.
local function reconcile_windows(job_queue, cursor)
  local number, from = string.match(cursor, '^(%d+) (%d+)$')
  number = tonumber(number) or 1
  local limiter = RULES[job_queue].limits[number]
  if not limiter then return nil end
  local hash, behind = flows_key('windows', limiter.id), number + 1 .. ' 0'
  if not limiter.by_group then return behind end
  local wrong = conflict('hash', hash)
  if wrong then
    report(job_queue, '', 'error ' .. wrong)
    return behind
  end
  local page = redis.call('HSCAN', hash, from or '0', 'COUNT', PAGE)
  spend(#page[2] / 8 + 1)
  forget(limiter, hash, page[2])
  return page[1] == '0' and behind or number .. ' ' .. page[1]
end

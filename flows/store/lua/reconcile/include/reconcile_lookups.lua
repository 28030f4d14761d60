-- Reconciles lookup lists: takes out the ids of jobs that are gone. Which lists may have some, `flows:prune:…` says, by
-- when to look: a list whose jobs are all gone is named by no hash any more.
--@ exports: reconcile_lookups
--@ needs: ns root
--@ include: reconcile_step keys clock

-- So many ids are looked at with each reading.
local LOOK = 100
-- What is taken out of the middle of a list is blanked first. One pass over so many ids from the head takes 3 ms: blanks
-- further on stay, until what is before them has gone.
local REACH, MOST_BLANKS = 50000, 1000
local MINUTE, DAY = 60000, 86400000
-- A list of so many ids is read once in as many ms at most: so all lists together take little of the server's time.
local REST_PER_ID = 36

local function alive(id) return redis.call('EXISTS', job_key(root, id)) == 1 end

-- Counts what it takes to reach an id far inside a list, as checks.
local function spend_on_reach(index, length) spend(math.min(index, length - index) / 160000) end

-- Takes blanks out of a list; returns how many.
local function take_blanks(list, blanks, index)
  spend(index / 170)
  return redis.call('LREM', list, blanks, '')
end

-- Looks at some ids from an index on: drops what is gone at the head of the list, and blanks what is gone elsewhere.
-- Returns the next index and how many blanks are to be taken out; no index at the end of the list.
local function look(list, index, blanks, length)
  local ids = redis.call('LRANGE', list, index, index + LOOK - 1)
  local heads, is_head = 0, index == 0
  spend(#ids / 5 + 0.5)
  for i, id in ipairs(ids) do
    if alive(id) then
      is_head = false
    elseif is_head then
      heads = heads + 1
    else
      if id ~= '' then
        redis.call('LSET', list, index + i - 1, '')
        spend_on_reach(index, length)
      end
      if index < REACH then blanks = blanks + 1 end
    end
  end
  if heads > 0 then redis.call('LTRIM', list, heads, -1) end
  local next_index = index + #ids - heads
  local ends = #ids < LOOK
  if blanks > 0 and (ends or blanks >= MOST_BLANKS) then
    next_index = next_index - take_blanks(list, blanks, math.min(next_index, REACH))
    blanks = 0
  end
  return not ends and next_index or nil, blanks
end

-- Records when to look at a list again: when its first job may be gone, at the latest in a day.
local function look_again(prune, list, line)
  local length = redis.call('LLEN', list)
  if length == 0 then return redis.call('ZREM', prune, line) end
  local left = redis.call('PTTL', job_key(root, redis.call('LINDEX', list, 0)))
  local wait = math.min(DAY, left > 0 and left or DAY)
  redis.call('ZADD', prune, string.format('%d', time + math.max(MINUTE, length * REST_PER_ID, wait)), line)
end

-- Goes on with one list; returns the cursor in it, or nothing when all of it was looked at.
local function prune_list(prune, line, index, blanks)
  local list = ns .. 'job:' .. root .. ':' .. line
  local length = redis.pcall('LLEN', list)
  spend(0.5)
  if type(length) ~= 'number' then return redis.call('ZREM', prune, line) and nil end
  while index do
    if checks >= MOST_CHECKS then return index .. ' ' .. blanks .. ' ' .. line end
    index, blanks = look(list, index, blanks, length)
  end
  look_again(prune, list, line)
end

-- Reconciles lookup lists from a cursor on: the index in a list, the blanks in it, and its line.
local function reconcile_lookups(cursor)
  local prune = flows_key('prune', root)
  local index, blanks, line = string.match(cursor, '^(%d+) (%d+) (.+)$')
  while checks < MOST_CHECKS do
    if not line then
      local due = redis.pcall('ZRANGE', prune, '-inf', time, 'BYSCORE', 'LIMIT', 0, 1)
      spend(0.5)
      if not due[1] then return nil end -- nor where the key holds something else
      index, blanks, line = 0, 0, due[1]
    end
    local left = prune_list(prune, line, tonumber(index), tonumber(blanks))
    if left then return left end
    line = nil
  end
  return '0 0 '
end

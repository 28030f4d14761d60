-- Sets how long hashes live, and with them their lookup lists and what stands beside them; `ttl` is in milliseconds, 0
-- for none while the job is on its way.
-- Times to live are passed on as the texts that came: formatting a number costs more than a command.
--@ exports: refreshes_left LOG_LINE SIDE_LINE each_lookup refresh_lookups persist_lookups refresh
--@ exports: trim_lookups end_lookups prune_later
--@ needs: ns
--@ include: keys clock

-- A claim stops when it has refreshed so many lookup lists.
local refreshes_left = 1000

-- Lets the hash live for `life` from now, and its lookup lists at least as long. A hash that has no TTL gets none:
-- a child has none while its parent waits. Returns whether it has one.
local function refresh(job_flow, key, lookups, life)
  if life == '0' then
    redis.call('PERSIST', key)
    return false
  end
  if redis.call('PEXPIRE', key, life, 'XX') == 0 then return false end
  refresh_lookups(job_flow, lookups, life)
  return true
end

-- Lines of `_lookups` that name what is the job's own, `#log:<id>` and `#side:<id>:children:<queue>`.
local LOG_LINE, SIDE_LINE = '#log:', '#side:'
local HASH = 35

-- Many jobs stand in no lookup list.
--@ lazy

-- Calls fn(key, own, keyed) for each line of the job's `_lookups`: a lookup list, `<attribute>:<text>`, in which other
-- jobs stand too, or what is the job's own and lives as long as it does: its log, the hash of how over 500 children
-- settled. `keyed`: the list is that of a key, such as `#unique:<text>`, and of one job.
local function each_lookup(job_flow, lookups, fn)
  local prefix = ns .. 'job:' .. job_flow .. ':'
  for line in string.gmatch(lookups, '[^\n]+') do
    if string.byte(line) ~= HASH then
      fn(prefix .. line, false)
    elseif string.sub(line, 1, #LOG_LINE) == LOG_LINE then
      fn(flows_key('log', job_flow .. ':' .. string.sub(line, #LOG_LINE + 1)), true)
    elseif string.sub(line, 1, #SIDE_LINE) == SIDE_LINE then
      fn(prefix .. string.sub(line, #SIDE_LINE + 1), true)
    else
      fn(prefix .. line, false, true)
    end
  end
end

-- Lets what is the job's own live for `life` from now, and its lookup lists at least as long: others stand in them too.
local function refresh_lookups(job_flow, lookups, life)
  if not lookups then return end
  each_lookup(job_flow, lookups, function(key, own)
    if own then redis.call('PEXPIRE', key, life) else redis.call('PEXPIRE', key, life, 'GT') end
    refreshes_left = refreshes_left - 1
  end)
end

-- Lets what is the job's own, and its lookup lists, stay without an end.
local function persist_lookups(job_flow, lookups)
  if lookups then each_lookup(job_flow, lookups, function(key) redis.call('PERSIST', key) end) end
end

-- One script checks so many heads of lookup lists; each ending trims some of them, and none trims all.
local trims_left = 200

-- Drops up to ten dead ids from the head of a lookup list. Returns its first three ids.
local function trim(job_flow, list, ids)
  for _ = 1, 10 do
    trims_left = trims_left - 1
    if trims_left < 0 or not ids[1] or redis.call('EXISTS', job_key(job_flow, ids[1])) == 1 then break end
    redis.call('LPOP', list)
    ids = redis.call('LRANGE', list, 0, 2)
  end
  return ids
end

-- Drops up to ten dead ids from the heads of the job's lookup lists.
local function trim_lookups(job_flow, lookups)
  if not lookups then return end
  each_lookup(job_flow, lookups, function(list, own)
    if not own then trim(job_flow, list, redis.pcall('LRANGE', list, 0, 2)) end
  end)
end

-- Returns whether nobody else stands in a list with these first three ids; a job that was created twice stands there
-- twice.
local function is_alone(ids, job_id)
  return #ids < 3 and ids[1] == job_id and (ids[2] or job_id) == job_id
end

-- Has the reconciler look at a lookup list in so many ms: some of its jobs may be gone then. When the last job of a list
-- has ended, its head has ended too, and whoever came to that said so here.
local function prune_later(job_flow, list, life)
  local line = string.sub(list, #ns + #job_flow + 6) -- behind `<ns>job:<flow>:`
  redis.pcall('ZADD', flows_key('prune', job_flow), 'NX', string.format('%d', time + life), line)
end

-- Lets what is an ended job's own live for `life`, as its hash does, and so the lists in which it stands alone, if those
-- are `bounded`: creating the next job gives them a time to live. A key's list goes with its job in any case: nobody
-- may use that key again. The other lists live at least as long.
local function end_lookups(job_flow, job_id, lookups, life, bounded)
  if not lookups then return end
  each_lookup(job_flow, lookups, function(key, own, keyed)
    refreshes_left = refreshes_left - 1
    if own then return redis.call('PEXPIRE', key, life) end
    local ids = redis.pcall('LRANGE', key, 0, 2)
    if ids.err then return end
    local head = ids[1]
    if head ~= job_id then ids = trim(job_flow, key, ids) end
    if (bounded or keyed) and is_alone(ids, job_id) then return redis.call('PEXPIRE', key, life) end
    redis.call('PEXPIRE', key, life, 'GT')
    if ids[1] == job_id or ids[1] ~= head or trims_left < 0 then prune_later(job_flow, key, life) end
  end)
end

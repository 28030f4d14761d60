-- Sets how long hashes and lookup lists live; `ttl` is in milliseconds, 0 for none while the job is on its way.
-- Times to live are passed on as the texts that came: formatting a number costs more than a command.
--@ exports: refreshes_left each_lookup refresh_lookups refresh trim_lookups
--@ needs: ns
--@ include: keys

-- A claim stops when it has refreshed so many lookup lists.
local refreshes_left = 1000

-- Calls fn(list) for each lookup list of the job; `_lookups` holds lines of `<attribute>:<text>`.
-- Over 500 children, the hash of how they settled stands there too, to live as long as the job does.
local function each_lookup(job_flow, lookups, fn)
  for line in string.gmatch(lookups, '[^\n]+') do fn(ns .. 'job:' .. job_flow .. ':' .. line) end
end

-- Lets lookup lists live for `life` from now, and never shortens them: others stand in them too.
local function refresh_lookups(job_flow, lookups, life)
  if not lookups then return end
  each_lookup(job_flow, lookups, function(list)
    redis.call('PEXPIRE', list, life, 'GT')
    refreshes_left = refreshes_left - 1
  end)
end

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

-- One script checks so many heads of lookup lists; each ending trims some of them, and none trims all.
local trims_left = 200

-- Drops up to ten dead ids from the heads of the job's lookup lists.
local function trim_lookups(job_flow, lookups)
  if not lookups then return end
  each_lookup(job_flow, lookups, function(list)
    for _ = 1, 10 do
      trims_left = trims_left - 1
      if trims_left < 0 then return end
      local job_id = redis.pcall('LINDEX', list, 0)
      if type(job_id) ~= 'string' or redis.call('EXISTS', job_key(job_flow, job_id)) == 1 then return end
      redis.call('LPOP', list)
    end
  end)
end

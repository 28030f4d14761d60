-- Says whether a job fits the conditions of a query, by fields of its hash and the time in its id.
--@ exports: conditions in_time fits
--@ include: halve

-- Returns conditions as they are compared: each lookup as a line, states and queues as sets.
local function conditions(plain)
  local lines = {}
  for i, line in ipairs(plain.where) do lines[i] = '\n' .. line .. '\n' end
  local made = { lines = lines, since = plain.since, untilms = plain['until'] }
  for _, name in ipairs({ 'status', 'queue' }) do
    if plain[name] then
      made[name] = {}
      for _, word in ipairs(plain[name]) do made[name][word] = true end
    end
  end
  return made
end

-- Returns whether a job was created when it should have been: its id alone says so.
local function in_time(wanted, id)
  if not wanted.since then return true end
  local created = created_at(id)
  return created ~= nil and created >= wanted.since and created < wanted.untilms
end

-- `lookups` is the job's field `_lookups` between two line feeds.
local function fits(wanted, id, status, queue, lookups)
  if wanted.status and not wanted.status[status] then return false end
  if wanted.queue and not wanted.queue[queue] then return false end
  for _, line in ipairs(wanted.lines) do
    if not string.find(lookups, line, 1, true) then return false end
  end
  return in_time(wanted, id)
end

-- Reads what the limiters and the slots of a queue have given out and what was set while workers run; of one group too,
-- where it is named, or a job of it: then `field` is what the queue is grouped by. What was edited into nonsense is left
-- out.
-- Answers the server's time; of each limiter its live values, those of the group, and its window, as numbers; and of
-- slots how many are used and their live number, in all and of the group; until when queue and group are held, the group,
-- and what the job costs.
--@ flags: no-writes
--@ args: ns now flow queue group id field sharing
--@ rest: of each limiter its id, and `g` where each group has its own, else `q`
--@ returns: now:int limiters:list<[live:text of_group:text window:list<text>]> used:int live:text used_by_group:text per_group:text of_group:text held:text parked:text group:text cost:text
--@ include: clock keys

local function text(...)
  local found = redis.pcall(...)
  return type(found) == 'string' and found or ''
end

local function window_of(packed)
  local known, entries = pcall(cmsgpack.unpack, packed)
  if not (known and type(entries) == 'table') then return {} end
  local numbers = {}
  for i, number in ipairs(entries) do numbers[i] = type(number) == 'number' and string.format('%.17g', number) or '0' end
  return numbers
end

-- Returns how many slots the jobs of a queue take.
local function taken_in(job_queue)
  local leases = redis.pcall('ZCARD', queue_key(job_queue, 'processing'))
  local beyond = tonumber(text('HGET', flows_key('load', job_queue), '')) or 0
  return (type(leases) == 'number' and leases or 0) + math.max(0, math.floor(beyond))
end

-- A text of a group that is longer stands as its digest: as `place_of` has it.
local MOST_BYTES = 200

local function group_of_job()
  local value = field == '' and '' or text('HGET', job_key(flow, id), field)
  if value == 'null' then return '' end
  return #value > MOST_BYTES and redis.sha1hex(value) or value
end

local name = id == '' and group or group_of_job()

local limiters = {}
for i = at, #rest, 2 do
  local limit, tail = flows_key('limit', rest[i]), rest[i + 1]
  limiters[#limiters + 1] = {
    text('HGET', limit, 'live'), name == '' and '' or text('HGET', limit, 'live:' .. name),
    tail ~= 'g' and window_of(text('GET', flows_key('window', rest[i])))
      or name ~= '' and window_of(text('HGET', flows_key('windows', rest[i]), name)) or {},
  }
end

local fair = flows_key('fair', queue)
local used, live = taken_in(queue), text('HGET', fair, 'slots')
if sharing ~= '' then
  local key = flows_key('sharing', sharing)
  live = text('HGET', key, '')
  local names = redis.pcall('HKEYS', key)
  for _, other in ipairs(names) do -- an error has no elements, and no queue the empty name
    if other ~= queue then used = used + taken_in(other) end
  end
end

local used_by_group, of_group, parked = '', '', ''
if name ~= '' then
  used_by_group = text('HGET', flows_key('load', queue), name)
  of_group = text('HGET', fair, 'slots_per_group:' .. name)
  for band = 1, 8 do
    local score = text('ZSCORE', flows_key('parked', queue), band .. '/' .. name)
    if (tonumber(score) or 0) > (tonumber(parked) or 0) then parked = score end
  end
end
return {
  time, limiters, used, live, used_by_group, text('HGET', fair, 'slots_per_group'), of_group,
  text('HGET', queue_key(queue, 'meta'), 'held'), parked, name, text('HGET', job_key(flow, id), '_cost'),
}

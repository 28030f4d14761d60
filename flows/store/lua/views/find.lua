-- Reads part of one source of jobs, a list or a sorted set of their ids, and finds those that fit.
-- Answers the jobs that were found, each with its index and its time there; how many were looked at; and the last of
-- those, behind which to go on, or nothing at the end of the source.
--@ flags: no-writes
--@ keys: source
--@ args: ns root source_kind place_state place_queue flow first query newest_first at_index at_time at_id
--@ args: at_before most_looked most_found
--@ returns: found:list<[id:text index:int time:text before:text]> looked:int
--@ returns: last:list<[id:text index:int time:text before:text]>
--@ include: halve fits positions since member find_groups keys status

-- The kinds: `lookup`, a list by creation; `waiting`, a list by since when they wait; `sample`, the list of done jobs,
-- newest first; `set`, a sorted set; `groups`, all groups of a priority. All but lookups are places, where only a job of this state and queue stands.
local is_set, is_place = source_kind == 'set', source_kind ~= 'lookup'
local asked = cjson.decode(query)
local wanted, others = conditions(asked.want), {}
for i, other in ipairs(asked.but) do others[i] = conditions(other) end

-- Returns the time by which the source is sorted, for an id in a list.
local function time_of(member)
  local job_flow, job_id = flow_and_id(flow, member)
  if source_kind ~= 'waiting' then return created_at(job_id) end
  local attempt = redis.pcall('HGET', job_key(job_flow, job_id), '_attempt')
  return since_of(job_id, type(attempt) == 'string' and attempt)
end

-- Returns the time of a job that fits; nothing for another one or one of another flow, or where there is no job.
local function fitting(member, score)
  local job_flow, job_id = flow_and_id(flow, member)
  if job_flow ~= flow or #job_id ~= 36 or not in_time(wanted, job_id) then return nil end
  local key = job_key(flow, job_id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_attempt', '_ended')
  if job.err then return nil end
  local status, job_queue = job[1] or 'waiting', job[2] or (is_place and place_queue or first)
  -- A state that was edited into nonsense reads as failed.
  if not is_state(status) then status = 'failed' end
  if is_place and (status ~= place_state or job_queue ~= place_queue) then return nil end
  local lookups = '\n' .. (job[3] or '') .. '\n'
  if not fits(wanted, job_id, status, job_queue, lookups) then return nil end
  for _, other in ipairs(others) do
    if fits(other, job_id, status, job_queue, lookups) then return nil end
  end
  if not job[1] and redis.call('EXISTS', key) == 0 then return nil end
  if score then return score end
  if source_kind == 'waiting' or source_kind == 'groups' then return since_of(job_id, job[4]) or 0 end
  return source_kind == 'sample' and tonumber(job[5]) or created_at(job_id)
end

local function length_of()
  local length = redis.pcall(is_set and 'ZCARD' or 'LLEN', source)
  return type(length) == 'number' and length or 0 -- a key that somebody else wrote counts as empty
end

-- The sample is short, and its newest jobs stand at its head.
local backwards = (newest_first == '1') ~= (source_kind == 'sample')

-- Returns the index to begin at.
local function start(length)
  if at_id == '' then return backwards and length - 1 or 0 end
  if is_set then return set_position(source, length, at_id, tonumber(at_time), backwards) end
  if at_id == '-' then return tonumber(at_index) + (backwards and -1 or 1) end
  if source_kind == 'sample' then
    local at = redis.call('LPOS', source, at_id, 'MAXLEN', 5000)
    if at then return backwards and at - 1 or at + 1 end
    return backwards and length - 1 or length
  end
  return list_position(source, length, at_id, at_before, tonumber(at_index), tonumber(at_time), backwards, time_of)
end

-- Returns ids in the order in which they are read, and their scores where they have some.
local function read(from, count)
  local to = from + count - 1
  if backwards then from, to = math.max(0, from - count + 1), from end
  local ids, scores = {}, {}
  if is_set then
    local page = redis.call('ZRANGE', source, from, to, 'WITHSCORES')
    for i = 1, #page, 2 do
      ids[#ids + 1] = page[i]
      scores[#scores + 1] = tonumber(page[i + 1])
    end
  else
    ids = redis.call('LRANGE', source, from, to)
  end
  if backwards then
    for i = 1, math.floor(#ids / 2) do
      local j = #ids - i + 1
      ids[i], ids[j] = ids[j], ids[i]
      scores[i], scores[j] = scores[j], scores[i]
    end
  end
  return ids, scores
end

local CHUNK = 200
local function text_of(ms) return string.format('%.17g', ms == ms and ms or 0) end

-- In a lookup list, jobs of a certain time are looked for where they can stand.
local is_halved = source_kind == 'lookup' and wanted.since ~= nil

-- Returns where to begin.
local function first_index(length)
  if at_id ~= '' or not is_halved then return start(length) end
  if backwards then return bound(source, length, wanted.untilms, 1) - 1 end
  return bound(source, length, wanted.since, -1)
end

-- Returns whether a job was created beyond the time that is asked for, in the direction of reading.
local function is_past(job_id)
  local created = created_at(job_id)
  if backwards then return created and created < wanted.since end
  return created and created >= wanted.untilms
end

-- Returns between which indices jobs can stand that are still to be read.
local function rest_of(length)
  if backwards then return bound(source, length, wanted.since, -1), length end
  return 0, bound(source, length, wanted.untilms, 1)
end

local function page()
  local length = length_of()
  local at, low, high, step = first_index(length), 0, length, backwards and -1 or 1
  local found, looked, last = {}, 0, {}
  local function goes_on() return at >= low and at < high and #found < tonumber(most_found) end
  while goes_on() and looked < tonumber(most_looked) do
    local ids, scores = read(at, math.min(CHUNK, tonumber(most_looked) - looked))
    for i, job_id in ipairs(ids) do
      looked = looked + 1
      local fit = fitting(job_id, scores[i])
      local before = last[1] or at_id
      if fit then found[#found + 1] = { job_id, at, text_of(fit), before } end
      local _, plain = flow_and_id(flow, job_id)
      last = { #plain == 36 and job_id or '-', at, scores[i], before }
      at = at + step
      if #found == tonumber(most_found) then break end
    end
    if is_halved and is_past(last[1]) then low, high = rest_of(length) end
  end
  if at < low or at >= high then return { found, looked, {} } end
  last[3] = text_of(last[3] or time_of(last[1]))
  return { found, looked, { last } }
end

return page_of(source_kind, page, fitting)

-- Starts a run like another one, whatever has become of that: with the same input or another one, and with the records of
-- the steps that were done before a step; of no step: with none. What was undone is not done. Sent twice, it is started
-- once.
--@ args: ns now root flow settings source new_id before_step given lookup_lines
--@ rest: fields that take the place of the other run's, and their values
--@ returns: word:word
--@ words: started | gone | unknown | conflict
--@ include: clock keys type start_run told open_steps

local MOST_FIELDS = 1000
-- Of the kernel's fields, those that say how a run is to be worked on.
local KEPT = { _priority = true, _correlation_id = true, _version = true, _undo = true, _kept = true }
local DONE = { done = true, withdrawn = true }

local key, from = job_key(root, new_id), job_key(root, source)
if redis.call('EXISTS', key) == 1 then return 'started' end
expect('hash', from)
local found = redis.call('HGETALL', from)
if #found == 0 then return 'gone' end

local of, records = {}, {}
for i = 1, #found, 2 do
  local name = string.match(found[i], '^step:(.+)$')
  if name then records[name] = found[i + 1] else of[found[i]] = found[i + 1] end
end

-- Returns when a record came, as three numbers; nothing of a step that waits.
local function came_at(record)
  local come = string.match(record, '^{"status":"%l+","order":(%d+)')
  if come then return { tonumber(come), 0, 0 } end
  local at_come, write, nth = string.match(record, '^{"status":"%l+","order":%[(%d+),(%d+),?(%d*)%]')
  return at_come and { tonumber(at_come), tonumber(write), tonumber(nth) or 0 }
end

local function is_before(one, other)
  for i = 1, 3 do
    if one[i] ~= other[i] then return one[i] < other[i] end
  end
  return false
end

if before_step ~= '' and not records[before_step] then return 'unknown' end
local limit = before_step ~= '' and came_at(records[before_step])

local function is_kept(name, record)
  if string.find(name, '^undo:') or string.find(name, '^@') or name == 'on_failure' then return false end
  if records['undo:' .. name] or not DONE[string.match(record, '^{"status":"(%l+)"')] then return false end
  local at_place = came_at(record)
  return at_place and (not limit or is_before(at_place, limit))
end

local kept, come, sides = {}, 0, {}
for name, record in pairs(before_step == '' and {} or records) do
  if is_kept(name, record) then
    kept[#kept + 1] = 'step:' .. name
    kept[#kept + 1] = record
    come = math.max(come, came_at(record)[1])
    if redis.call('EXISTS', from .. ':children:' .. name) == 1 then sides[#sides + 1] = name end
  end
end

-- The other run's lookup lists, but for what is that one's own.
local function lines_of_source()
  local own = {}
  for line in string.gmatch(of._lookups or '', '[^\n]+') do
    if string.sub(line, 1, 1) ~= '#' then own[#own + 1] = line end
  end
  return table.concat(own, '\n')
end

local fields = {}
for name, value in pairs(of) do
  local is_own = string.sub(name, 1, 1) == '_' and not KEPT[name] or name == 'output'
  if not is_own and name ~= 'input' then
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
end
for i = at, #rest do fields[#fields + 1] = rest[i] end
local function add(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
add('input', given ~= '' and given or of.input or 'null')
add('_forked', source .. ' ' .. before_step)
if #kept > 0 then
  add('_come', string.format('%d', come))
  -- It has begun: whoever claims it reads what is recorded.
  add('_attempt', '1 - 0 0 0 ' .. now_text .. ' -')
end

local run = { id = new_id, queue = of._queue, due = 0, key = '', fields = fields }
run.lookups = lookup_lines == '=' and lines_of_source() or lookup_lines
if not run.queue or start_conflict(run) then return 'conflict' end
start_run(run)
for i = 1, #kept, MOST_FIELDS do
  redis.call('HSET', key, unpack(kept, i, math.min(#kept, i + MOST_FIELDS - 1)))
end
for _, name in ipairs(sides) do
  redis.call('COPY', from .. ':children:' .. name, key .. ':children:' .. name)
  redis.call('PERSIST', key .. ':children:' .. name)
  keep_side(new_id, key, name)
end
put_started()
tell()
return 'started'

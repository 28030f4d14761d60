-- Leaves behind of each job that ends an entry in the log of endings, and for each reporter that wants it a report: a job
-- of a child queue. The script that ends the job writes them, so there is exactly one of each, or none.
--@ exports: put_out leave_behind
--@ args: root
--@ include: outbox_lines keys clock type settings place told

local fields = {}
for name in string.gmatch(string.match(outbox_text, '\n@ %d+ %d+ (%S+)') or '', '[^,]+') do
  if name ~= '-' then fields[#fields + 1] = name end
end

-- The reporters by how a job ends.
local reporters = { done = {}, failed = {}, cancelled = {} }
for to, words, types in string.gmatch(outbox_text, '\n> (%S+) (%S+) (%S+)') do
  for word in string.gmatch(words, '%a+') do
    table.insert(reporters[word], { to = to, types = types ~= '*' and ',' .. types .. ',' })
  end
end

local TYPES = flows_key('error_types', root)

local function log_of(job_flow, word) return flows_key('endings', job_flow .. ':' .. word) end

-- This comes before the first write of any script: nothing rolls back.
for word, wanting in pairs(reporters) do
  for _, reporter in ipairs(wanting) do expect_place_of(reporter.to) end
  if most_entries > 0 then expect('stream', log_of(root, word)) end
end
if most_entries > 0 then expect('set', TYPES) end

-- The ids of reports that are written and still to be put into their queues.
local written = {}

local function put_written()
  for to, ids in pairs(written) do put_many(to, ids) end
  written = {}
end

local NONE = {}

-- Leaves behind what is wanted of a job that ends; without one, puts the reports into their queues. Of children, and so
-- of reports, only failures are logged, and nothing is reported. What comes last is the error of a job that has failed,
-- JSON.
local function put_out(job_flow, job_id, key, word, ...)
  if not job_flow then return put_written() end
  local wanting = job_flow == root and reporters[word] or NONE
  local logged = most_entries > 0 and (job_flow == root or word == 'failed')
  if logged or wanting[1] then leave_behind(job_flow, job_id, key, word, wanting, logged, ...) end
end

--@ lazy

-- Of a field, so many bytes are copied, or nothing of it.
local MOST_BYTES = 256

-- Returns the values of the copied fields, behind the field `_attempt`; what is not copied is empty.
local asked = { '_attempt', unpack(fields) }
local function values_of(key)
  local values = redis.call('HMGET', key, unpack(asked))
  for i = 2, #asked do
    if not values[i] or #values[i] > MOST_BYTES then values[i] = '' end
  end
  return values
end

-- Returns the type of an error, which stands first in its JSON.
local function type_of(why)
  local kind = string.match(why, '^{"type":"([%w_.-]+)"')
  return kind and #kind <= 64 and kind or 'other'
end

local AT = now_text .. '-*'
local touched = {}

-- Where the server's time was set back, the stream's goes on. A key that holds something else takes nothing.
local function add_to(stream, entry)
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', most_entries, AT, unpack(entry))
  if type(added) == 'table' then added = redis.pcall('XADD', stream, 'MAXLEN', '~', most_entries, '*', unpack(entry)) end
  if touched[stream] or type(added) == 'table' then return end
  touched[stream] = true
  redis.call('PEXPIRE', stream, entries_ms)
end

local MOST_TYPES = 100
local streams = {}

-- Returns the log of a type of error: of the 101st on, that of all others.
local function log_of_type(kind)
  if not streams[kind] then
    local is_new = redis.call('SISMEMBER', TYPES, kind) == 0
    local kept = is_new and redis.call('SCARD', TYPES) >= MOST_TYPES and 'other' or kind
    redis.call('SADD', TYPES, kept)
    redis.call('PEXPIRE', TYPES, entries_ms)
    streams[kind] = flows_key('errors', root .. ':' .. kept)
  end
  return streams[kind]
end

-- An entry, whose values each job puts in.
local entry = { 'id' }
for i, name in ipairs(fields) do entry[2 * i + 1] = name end
local ERROR = 2 * #fields + 3

local function log(job_flow, job_id, word, values, kind)
  entry[2] = job_id
  for i = 2, #asked do entry[2 * i] = values[i] end
  entry[ERROR], entry[ERROR + 1] = kind and 'error' or nil, kind or nil
  add_to(log_of(job_flow, word), entry)
  if kind and job_flow == root then add_to(log_of_type(kind), entry) end
end

-- Returns the id of a report: the job's own, with its visit in the place of the millisecond's fraction.
local function report_id(job_id, attempt)
  local visit = string.match(attempt or '', '^%d+ %S+ %d+ (%d+)') or '0'
  return string.sub(job_id, 1, 15) .. string.format('%03x', tonumber(visit) % 4096) .. string.sub(job_id, 19)
end

-- What a report tells, in which each job puts its id, its outcome and its values.
local ending = { '{"job":"', '', '","outcome":"', '', '","ended":' .. now_text }
for _, name in ipairs(fields) do
  ending[#ending + 1] = ',"' .. name .. '":'
  ending[#ending + 1] = ''
end
local TAIL = #ending + 1

local function ending_of(job_id, word, values, kind)
  ending[2], ending[4] = job_id, word
  for i = 2, #asked do ending[2 * i + 3] = values[i] == '' and 'null' or values[i] end
  ending[TAIL] = kind and ',"error":"' .. kind .. '"}' or '}'
  return table.concat(ending)
end

-- A report waits from now on, though its id is as old as the job's. A key that holds something else is nobody's report.
local SINCE_NOW = '0 - 0 0 0 ' .. now_text .. ' -'

local function write_report(to, new_id, told)
  local key = job_key(to, new_id)
  local added = redis.pcall('HSET', key, '_attempt', SINCE_NOW, 'ending', told)
  if type(added) == 'table' then return end
  if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
  told_of(key, 'waiting', to)
  local ids = written[to]
  if not ids then
    ids = {}
    written[to] = ids
  end
  ids[#ids + 1] = new_id
end

-- Returns whether a reporter wants to hear of a job whose first copied field has this value, JSON.
local function wants(reporter, value)
  if not reporter.types then return true end
  return value and string.find(reporter.types, ',' .. string.sub(value, 2, -2) .. ',', 1, true) ~= nil
end

local function leave_behind(job_flow, job_id, key, word, wanting, logged, ...)
  local values = values_of(key)
  local kind = word == 'failed' and type_of((select(select('#', ...), ...)))
  if logged then log(job_flow, job_id, word, values, kind) end
  local new_id, told
  for _, reporter in ipairs(wanting) do
    if wants(reporter, values[2]) then
      if not new_id then new_id, told = report_id(job_id, values[1]), ending_of(job_id, word, values, kind) end
      write_report(reporter.to, new_id, told)
    end
  end
end

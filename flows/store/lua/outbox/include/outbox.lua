-- Leaves behind of each job that ends an entry in the log of endings, and for each reporter that wants it a report: a job
-- of a child queue. The script that ends the job writes them, so there is exactly one of each, or none.
--@ exports: put_out
--@ args: root
--@ needs: now
--@ include: outbox_lines keys clock type attempt settings place told

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

local function log_of(job_flow, word) return flows_key('endings', job_flow .. ':' .. word) end

-- This comes before the first write of any script: nothing rolls back.
for word, wanting in pairs(reporters) do
  for _, reporter in ipairs(wanting) do expect_place_of(reporter.to) end
  if most_entries > 0 then expect('stream', log_of(root, word)) end
end
local TYPES = flows_key('error_types', root)
if most_entries > 0 then expect('set', TYPES) end

--@ lazy

-- Of a field, so many bytes are copied, or nothing of it.
local MOST_BYTES = 256

local function copied(value) return value and #value <= MOST_BYTES and value or '' end

-- Returns the type of an error, which stands first in its JSON.
local function type_of(why)
  local kind = string.match(why, '^{"type":"([%w_.-]+)"')
  return kind and #kind <= 64 and kind or 'other'
end

local touched = {}

-- Adds an entry; where tests own the time, it has theirs. The server's time may have been set back: the stream's goes on.
local function add_to(stream, entry)
  local at_ms = tonumber(now) == 0 and '*' or now_text .. '-*'
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', most_entries, at_ms, unpack(entry))
  if type(added) == 'table' then redis.pcall('XADD', stream, 'MAXLEN', '~', most_entries, '*', unpack(entry)) end
  if not touched[stream] then
    touched[stream] = true
    redis.pcall('PEXPIRE', stream, entries_ms)
  end
end

local MOST_TYPES = 100
local streams = {}

-- Returns the log of a type of error: of the 101st on, that of all others.
local function log_of_type(kind)
  if not streams[kind] then
    local known = redis.call('SISMEMBER', TYPES, kind) == 1
    local kept = (known or redis.call('SCARD', TYPES) < MOST_TYPES) and kind or 'other'
    if not known then redis.call('SADD', TYPES, kept) end
    redis.call('PEXPIRE', TYPES, entries_ms)
    streams[kind] = flows_key('errors', root .. ':' .. kept)
  end
  return streams[kind]
end

local function log(job_flow, job_id, word, values, kind)
  local entry = { 'id', job_id }
  for i, name in ipairs(fields) do
    entry[#entry + 1] = name
    entry[#entry + 1] = copied(values[i + 1])
  end
  if kind then
    entry[#entry + 1] = 'error'
    entry[#entry + 1] = kind
  end
  add_to(log_of(job_flow, word), entry)
  if kind and job_flow == root then add_to(log_of_type(kind), entry) end
end

-- Returns the id of a report: the job's own, with its visit in the place of the millisecond's fraction.
local function report_id(job_id, attempt)
  local _, visit = counts(attempt)
  return string.sub(job_id, 1, 15) .. string.format('%03x', visit % 4096) .. string.sub(job_id, 19)
end

local function ending_of(job_id, word, values, kind)
  local parts = { '{"job":"' .. job_id .. '","outcome":"' .. word .. '","ended":' .. now_text }
  for i, name in ipairs(fields) do
    local value = copied(values[i + 1])
    parts[#parts + 1] = '"' .. name .. '":' .. (value == '' and 'null' or value)
  end
  if kind then parts[#parts + 1] = '"error":"' .. kind .. '"' end
  return table.concat(parts, ',') .. '}'
end

local woken = {}

-- A report waits from now on, though its id is as old as the job's. A key that holds something else is nobody's report.
local function put_report(to, id, ending)
  local key = job_key(to, id)
  local written = redis.pcall('HSET', key, '_attempt', '0 - 0 0 0 ' .. now_text .. ' -', 'ending', ending)
  if type(written) == 'table' then return end
  if tonumber(ttl) > 0 then redis.call('PEXPIRE', key, ttl) end
  put_many(to, { id }, woken[to])
  woken[to] = true
  told_of(key, 'waiting', to)
end

-- Returns whether a reporter wants to hear of a job whose first copied field has this value, JSON.
local function wants(reporter, value)
  if not reporter.types then return true end
  return value and string.find(reporter.types, ',' .. string.sub(value, 2, -2) .. ',', 1, true) ~= nil
end

-- Of children, and so of reports, only failures are logged, and nothing is reported. What comes last is the error of a
-- job that has failed, JSON.
local function put_out(job_flow, job_id, key, word, ...)
  local wanting = job_flow == root and reporters[word] or {}
  local logged = most_entries > 0 and (job_flow == root or word == 'failed')
  if not logged and #wanting == 0 then return end
  local values = redis.call('HMGET', key, '_attempt', unpack(fields))
  local kind = word == 'failed' and type_of((select(select('#', ...), ...)))
  if logged then log(job_flow, job_id, word, values, kind) end
  local ending
  for _, reporter in ipairs(wanting) do
    if wants(reporter, values[2]) then
      ending = ending or ending_of(job_id, word, values, kind)
      put_report(reporter.to, report_id(job_id, values[1] or nil), ending)
    end
  end
end

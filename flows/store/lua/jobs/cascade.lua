-- Cancels the children of a parent that was cancelled, up to 100 a call; called until none is left.
-- Answers the parent as <flow>:<id> (any, where none was named; '' where there is none), 1 while children are left, how
-- many were cancelled, asked to stop or deleted, and which of them have children of their own.
--@ flags: allow-oom
--@ keys: cancelling
--@ args: ns now root settings parent
--@ returns: parent:text more:int count:int parents:list<text>
--@ include: cancel_job ending keys remove type count told settings

-- One call cancels so many, checks so many, and searches lists of so many ids in all.
local MOST, MOST_SEEN, MOST_SEARCHED = 100, 2000, 10000

expect('hash', cancelling)
if parent == '' then parent = redis.call('HRANDFIELD', cancelling) or '' end
local from = tonumber(redis.call('HGET', cancelling, parent))
if not from then return { '', 0, 0, {} } end
local building, pending = flows_key('building', parent), flows_key('pending', parent)
expect('list', building)

local function child_of(job) return split(string.sub(job, #(ns .. 'job:') + 1)) end

-- Children that were written but not published: no worker has seen them, so nothing of them stays.
local written = redis.call('LRANGE', building, 0, MOST - 1)
for _, job in ipairs(written) do
  local _, id = child_of(job)
  redis.pcall('SREM', pending, id)
  if redis.pcall('HGET', job, '_parent') == parent then redis.call('DEL', job) end
end
if #written > 0 then
  redis.call('LTRIM', building, #written, -1)
  return { parent, 1, #written, {} }
end

local key = ns .. 'job:' .. parent
local known = redis.pcall('HMGET', key, '_queue', '_reason')
local queue, reason = known[1] or '', known[2] or ''
local jobs = redis.pcall('HGET', key, 'children:' .. queue .. ':jobs')
local cancelled, seen, searched, leaving, parents = 0, 0, 0, {}, {}

local function set_aside(of, id)
  local ids = leaving[of]
  if ids then ids[#ids + 1] = id end
end

-- Returns whether this call may search the list of this child queue too.
local function may_search(of)
  if leaving[of] then return true end
  local length = search_length(of)
  if searched + length > MOST_SEARCHED then return false end
  searched, leaving[of] = searched + length, {}
  return true
end

-- Returns where in the list of all children the next call goes on, or nothing where none is left.
local function cancel_some()
  while cancelled < MOST and seen < MOST_SEEN do
    local _, last, job = string.find(jobs, '"([^"]+)"', from)
    if not last then return nil end
    local of, id = child_of(job)
    if redis.pcall('SISMEMBER', pending, id) == 1 then
      if not may_search(of) then return from end
      local word, goes_on = cancel_job(of, of, id, reason, set_aside)
      if word == 'gone' or word == 'malformed' then settle_missing(of, id, 'deleted') end
      if word == 'cancelled' or word == 'requested' then cancelled = cancelled + 1 end
      if goes_on then parents[#parents + 1] = of .. ':' .. id end
    end
    from, seen = last + 1, seen + 1
  end
  return from
end

gather_settled()
local rest_from = type(jobs) == 'string' and cancel_some()
settle_gathered()
for of, ids in pairs(leaving) do
  remove_many(of, ids)
end
write_counts()
tell()
if rest_from then
  redis.call('HSET', cancelling, parent, rest_from)
  return { parent, 1, cancelled, parents }
end
-- Children that run were asked to stop, and settle when they end.
redis.call('HDEL', cancelling, parent)
for _, beside in ipairs({ pending, key .. ':children:' .. queue }) do redis.call('PEXPIRE', beside, kept_cancelled) end
if redis.pcall('HGET', key, '_status') == 'cancelled' then redis.call('PEXPIRE', key, kept_cancelled) end
return { parent, 0, cancelled, parents }

-- Takes one turn of a worker: ends the attempts that are reported and claims the next jobs of the queue.
-- Answers a word per attempt, the claimed jobs, how many still wait, in how many ms the next delayed job is due (0:
-- none is, or another worker wakes for it), and how many ids were dropped.
--@ keys: waiting processing delayed call
--@ args: ns now root flow queue worker_id settings field_names number want busy ended
--@ rest: the attempts that have ended
--@ returns: words:list<word> jobs:list<list<any>> left:int due:int dropped:[expired:int malformed:int misplaced:int]
--@ words: ok | cancelled | undoing | stale | gone | malformed
--@ include: clock end_attempts pick promote place wake type attempt keys owned count told settings ruled presized

local fields = {}
for name in string.gmatch(field_names, '%S+') do fields[#fields + 1] = name end

local timer = flows_key('timer', queue)

-- Returns for when an idle worker has set its alarm, and which worker.
local function alarm() return string.match(redis.call('GET', timer) or '', '^(%d+) (.*)$') end

-- A turn whose answer was lost is sent again with the same number: it is answered as before, and changes nothing.
local function answered_before()
  local last = redis.call('GET', call)
  if not last then return nil end
  local parts = cmsgpack.unpack(last)
  if tonumber(parts[1]) > tonumber(number) then
    -- This turn comes after a later one: nobody waits for its answer, so it must claim nothing.
    local stale = {}
    for i = 1, tonumber(ended) do stale[i] = 'stale' end
    return { stale, {}, 0, 0, { 0, 0, 0 } }
  end
  if parts[1] ~= number then return nil end
  local claimed = {}
  local given = parts[3]
  for i = 1, #given, 2 do
    local job = owned(given[i], tostring(given[i + 1]))
    if job then
      local _, _, attempts, visit, rescues, since, path = read_attempt(job.attempt)
      local values = redis.call('HMGET', job.key, '_correlation_id', unpack(fields))
      local again = {
        given[i], given[i + 1], tonumber(attempts), tonumber(visit), tonumber(rescues),
        path == '+' and waited_since_birth(given[i], tonumber(since)) or tonumber(string.match(path, '=(%d+)[^=]*$')) or 0,
        unpack(values),
      }
      if ruled then ruled.again(again, parts[4][(i + 1) / 2]) end
      claimed[#claimed + 1] = again
    end
  end
  local at_ms, holder = alarm()
  local due = holder == worker_id and math.max(1, tonumber(at_ms) - time) or 0
  return { parts[2], claimed, waits(queue), due, { 0, 0, 0 } }
end

-- Returns when something may start next that may not start now; nothing where there is no such time.
local function next_start()
  local due = tonumber(redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2])
  if ruled then return ruled.soonest(due) end
  return due
end

-- One idle worker of a queue sets its alarm to when the next job may start; the others sleep on. Another worker's alarm
-- counts unless it is for later, or its time is over: then that worker is awake, or gone.
local function next_due()
  local soonest = next_start()
  if not soonest then return 0 end
  local at_ms, holder = alarm()
  at_ms = tonumber(at_ms)
  if at_ms and holder ~= worker_id and at_ms > time and at_ms <= soonest then return 0 end
  local left_ms = math.max(1, soonest - time)
  redis.call('SET', timer, string.format('%d %s', soonest, worker_id), 'PX', left_ms + 15000)
  return left_ms
end

-- One idle worker of each queue polls before so many ms are over.
local POLLED_MS = 6000

-- A worker that has no room, or whose job does not fit it, clears its alarm, so that another one sets its own: one is
-- woken for that where it is needed before the next poll.
local function pass_alarm_on()
  local _, holder = alarm()
  if holder ~= worker_id then return end
  redis.call('DEL', timer)
  local soonest = next_start()
  if soonest and soonest < time + POLLED_MS then wake(queue) end
end

-- Returns for how many more ms nothing of the queue may start, 0 where that has no end; nothing where it is not paused.
local function pause_left()
  local paused = redis.pcall('HGET', queue_key(queue, 'meta'), 'paused')
  if not paused then return nil end
  if type(paused) == 'table' then return expect('hash', queue_key(queue, 'meta')) end
  if paused == 'inf' then return 0 end
  local left_ms = (tonumber(paused) or 0) - time
  return left_ms > 0 and left_ms or nil
end

expect('string', call)
expect('string', timer)
local before = answered_before()
if before then return before end
local paused_ms = pause_left()
local words = end_attempts(tonumber(ended))
local claimed, left, due, dropped = {}, 0, 0, { 0, 0, 0 }
local wanted = tonumber(want)
if wanted > 0 and paused_ms then
  due = paused_ms
  if ruled then ruled.paused() end
elseif wanted > 0 then
  promote()
  claimed, dropped = pick(wanted, fields)
  left = ruled and ruled.left() or waits(queue)
  if left > 0 then wake(queue) end
  if #claimed < wanted and not alarm_is_for_others() then due = next_due() else pass_alarm_on() end
end
if #words > 0 or #claimed > 0 then
  local given = presized(2 * #claimed)
  for i, job in ipairs(claimed) do given[2 * i - 1], given[2 * i] = job[1], job[2] end
  local kept = cmsgpack.pack({ number, words, given, ruled and ruled.kept(claimed) })
  redis.call('SET', call, kept, 'PX', math.max(60000, tonumber(lease) * 2))
end
write_counts()
tell()
return { words, claimed, left, due, dropped }

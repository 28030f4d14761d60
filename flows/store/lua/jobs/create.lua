-- Creates jobs that are to start later: each is delayed until it is due, or waits at once where that is over.
-- Safe to send twice: a job that is there is not created again. The check of all types comes before the first write.
-- Answers a word per job, and for `conflict` a sentence that names the key.
--@ keys: waiting delayed
--@ args: ns now root flow queue delay_ms until_ms settings lookup_ttl
--@ rest: of each job its id, its lookups (a line each), and its fields and their values, counted
--@ returns: answers:list<[word:word why?:text]>
--@ words: created | conflict
--@ include: clock arguments keys type life status place wake told settings

-- The delay in milliseconds, or -1 and the server's time in milliseconds.
local due = tonumber(delay_ms)
due = due < 0 and tonumber(until_ms) or time + due
local left_ms = math.max(0, due - time)

-- Returns a sentence where one of the job's lookup lists is no list.
local function lookup_conflict(lookups)
  local wrong
  each_lookup(flow, lookups, function(list) wrong = wrong or conflict('list', list) end)
  return wrong
end

-- Returns the jobs that are not there yet, and the answers; those that are there were created by an earlier call.
local function read_jobs()
  local jobs, answers = {}, {}
  while at <= #rest do
    local job = { id = take(), lookups = take(), fields = take_counted() }
    job.key = job_key(flow, job.id)
    local wrong = lookup_conflict(job.lookups)
    answers[#answers + 1] = wrong and { 'conflict', wrong } or { 'created' }
    if not wrong and redis.call('EXISTS', job.key) == 0 then jobs[#jobs + 1] = job end
  end
  return jobs, answers
end

-- A list keeps the longer life: a job may stand in it that is due later than this one.
local function stand_in(lookups, id)
  local life = tonumber(lookup_ttl) + left_ms
  each_lookup(flow, lookups, function(list)
    redis.call('RPUSH', list, id)
    if ttl ~= '0' and redis.call('PTTL', list) < life then redis.call('PEXPIRE', list, life) end
  end)
end

local function write(job)
  if left_ms > 0 then
    enter(job.key, 'delayed', '_queue', queue, '_attempt', string.format('0 - 0 0 0 %d -', due), unpack(job.fields))
  else
    redis.call('HSET', job.key, unpack(job.fields)) -- a hash without a state waits in the first queue
  end
  if ttl ~= '0' then redis.call('PEXPIRE', job.key, tonumber(ttl) + left_ms) end
  stand_in(job.lookups, job.id)
end

expect('list', waiting)
expect('zset', delayed)
local jobs, answers = read_jobs()
local ids, dues = {}, {}
for i, job in ipairs(jobs) do
  write(job)
  ids[i], dues[2 * i - 1], dues[2 * i] = job.id, due, job.id
end
if #jobs == 0 then return answers end
if left_ms == 0 then
  put_many(queue, ids)
else
  redis.call('ZADD', delayed, unpack(dues))
  -- A new earliest due time wakes one worker, which sets its alarm by it.
  if tonumber(redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]) == due then wake(queue) end
end
tell()
return answers

-- Creates jobs on a condition: later, or by a key. Each is delayed until it is due, or waits at once where that is over.
-- Safe to send twice: a job that is there is not created again, and what a debounce did is not done again. The check of
-- all types comes before the first write.
-- Answers a word per job: for `conflict` with a sentence that names the key, and for what a key has found with the id of
-- the other job: `existing` and `different` by their params, `duplicate`, or `debounced`, which has the new params now.
--@ keys: delayed call
--@ args: ns now root flow queue delay_ms until_ms condition settings lookup_ttl
--@ rest: of each job its id, its lookups (a line each), and its fields and their values, counted; with a key, one job
--@ returns: answers:list<[word:word about?:text]>
--@ words: created | conflict | existing | different | duplicate | debounced
--@ include: clock arguments keys type life status place member wake told settings once holder idempotency unique debounce

-- `key`, `unique <rule>` or `debounce <wait> <longest>`; nothing where jobs are created in any case.
local kind, rule, longest = string.match(condition, '^(%l*) ?(%w*) ?(%d*)$')

-- The delay in milliseconds, or -1 and the server's time in milliseconds.
local due = tonumber(delay_ms)
due = due < 0 and tonumber(until_ms) or time + due

-- Returns a sentence where one of the job's lookup lists is no list.
local function lookup_conflict(lookups)
  local wrong
  each_lookup(flow, lookups, function(list) wrong = wrong or conflict('list', list) end)
  return wrong
end

-- Returns the answer where a key has a job that keeps this one out, or nothing.
local function kept_out(job)
  if kind == 'key' then return existing(job) end
  if kind == 'unique' then return duplicate(job, rule) end
end

-- Lets a job that its key still delays be written anew, in place of a new one, and sets when it is due.
local function debounce(job)
  local id, first_ms, old = debounced(job)
  job.first_ms = first_ms or time
  due = due_of_debounce(rule, longest, job.first_ms)
  if id then job.id, job.key, job.old = id, job_key(flow, id), old end
  return id and { 'debounced', id } or { 'created' }
end

-- Returns the answer to one job that is not there yet, and whether it is to be written.
local function answer_to(job)
  local out = kept_out(job)
  if out then return out, false end
  return kind == 'debounce' and debounce(job) or { 'created' }, true
end

-- Returns the jobs that are to be written, and the answers; those that are there were created by an earlier call.
local function read_jobs()
  local jobs, answers = {}, {}
  while at <= #rest do
    local job = { id = take(), lookups = take(), fields = take_counted() }
    job.key = job_key(flow, job.id)
    local wrong = lookup_conflict(job.lookups)
    local answer, new = { 'created' }, false
    if wrong then
      answer = { 'conflict', wrong }
    elseif redis.call('EXISTS', job.key) == 0 then
      answer, new = answer_to(job)
    end
    answers[#answers + 1] = answer
    if new then jobs[#jobs + 1] = job end
  end
  return jobs, answers
end

-- A list keeps the longer life: a job may stand in it that is due later than this one.
local function stand_in(job, left_ms)
  local life = tonumber(lookup_ttl) + left_ms
  local stays = job.old and take_back(job.id, job.old, job.lookups) or {}
  local own = kind ~= '' and key_list(job.lookups)
  if own then redis.call('DEL', own) end -- whoever had the key has it no more
  each_lookup(flow, job.lookups, function(list)
    if not stays[list] or list == own then redis.call('RPUSH', list, job.id) end
    if ttl ~= '0' and redis.call('PTTL', list) < life then redis.call('PEXPIRE', list, life) end
  end)
end

-- Adds what the kernel has to know of a job with a key.
local function note_key(job)
  local n = #job.fields
  if kind == 'unique' then job.fields[n + 1], job.fields[n + 2] = '_unique', now_text end
  if kind == 'debounce' then job.fields[n + 1], job.fields[n + 2] = '_debounced', string.format('%d', job.first_ms) end
end

local function write(job, left_ms)
  note_key(job)
  if job.old then redis.call('DEL', job.key) end
  if left_ms > 0 or kind == 'debounce' then
    enter(job.key, 'delayed', '_queue', queue, '_attempt', string.format('0 - 0 0 0 %d -', due), unpack(job.fields))
  else
    redis.call('HSET', job.key, unpack(job.fields)) -- a hash without a state waits in the first queue
  end
  if ttl ~= '0' then redis.call('PEXPIRE', job.key, tonumber(ttl) + left_ms) end
  stand_in(job, left_ms)
end

local function create()
  local jobs, answers = read_jobs()
  local left_ms = math.max(0, due - time)
  local ids, dues = {}, {}
  for i, job in ipairs(jobs) do
    write(job, left_ms)
    ids[i] = member_of(queue, flow, job.id)
    dues[2 * i - 1], dues[2 * i] = due, ids[i]
  end
  if #jobs == 0 then return answers end
  if left_ms == 0 and kind ~= 'debounce' then
    put_many(queue, ids)
  else
    redis.call('ZADD', delayed, unpack(dues))
    -- A new earliest due time wakes one worker, which sets its alarm by it.
    if tonumber(redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]) == due then wake(queue) end
  end
  tell()
  return answers
end

expect_place_of(queue)
expect('zset', delayed)
return kind == 'debounce' and once(create) or create()

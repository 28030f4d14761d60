-- Counts what a script does to the jobs of each queue, and lists those that have ended: gathered, and written once.
-- The counts only rise, but `stale`: how many ids stand in the waiting list whose jobs wait there no more.
--@ exports: count count_ended forget_ended write_counts write_all
--@ include: keys clock listed

local counted = {}
local is_empty = true

-- Counts `n` of these for a queue: a verb or, of those that have ended, the state.
local function count(job_queue, word, n)
  local words = counted[job_queue]
  if not words then
    words = {}
    counted[job_queue] = words
    is_empty = false
  end
  words[word] = (words[word] or 0) + (n or 1)
end

local of_ended = {}

-- Of the jobs that are done, each script lists the last ten: many end in a second, and the list is a sample.
local SAMPLE = 10

local function ids_of(job_queue, word)
  is_empty = false
  local by_word = of_ended[job_queue] or {}
  of_ended[job_queue] = by_word
  by_word[word] = by_word[word] or { n = 0 }
  return by_word[word]
end

-- Counts a job that has ended in a queue, as done, failed or cancelled, and lists it there. Most jobs of a script end in
-- the same queue, and alike.
local last_queue, last_word, last_ids
local function count_ended(job_queue, word, job_id)
  if job_queue ~= last_queue or word ~= last_word then
    last_queue, last_word, last_ids = job_queue, word, ids_of(job_queue, word)
  end
  local n = last_ids.n + 1
  last_ids.n = n
  last_ids[word == 'done' and n % SAMPLE + 1 or n] = job_id
end

local function write_counts()
  if not is_empty then write_all() end
end

--@ lazy

local function ended_key(job_queue, word) return flows_key('ended', job_queue .. ':' .. word) end

local MOST_DONE, LEAST_DONE = 1500, 1000

local function list_done(key, ids, kept)
  local last = {}
  for n = math.max(1, ids.n - SAMPLE + 1), ids.n do last[#last + 1] = ids[n % SAMPLE + 1] end
  local length = redis.pcall('LPUSH', key, unpack(last))
  if type(length) == 'number' and length > MOST_DONE then redis.pcall('LTRIM', key, 0, LEAST_DONE - 1) end
  redis.pcall('PEXPIRE', key, kept)
end

-- Lists all that failed or were cancelled, for as long as their hashes stay.
local function list_others(key, ids, kept)
  local pairs_of = {}
  for i, job_id in ipairs(ids) do pairs_of[2 * i - 1], pairs_of[2 * i] = now_text, job_id end
  redis.pcall('ZADD', key, unpack(pairs_of))
  redis.pcall('ZREMRANGEBYSCORE', key, '-inf', string.format('%d', time - kept))
  redis.pcall('PEXPIRE', key, kept)
end

-- Writes what was counted and listed. A key that holds something else takes nothing: what matters is written before.
local function write_all()
  for job_queue, by_word in pairs(of_ended) do
    for word, ids in pairs(by_word) do count(job_queue, word, ids.n) end
  end
  for job_queue, words in pairs(counted) do
    local meta = queue_key(job_queue, 'meta')
    for word, n in pairs(words) do
      if n ~= 0 then redis.pcall('HINCRBY', meta, word, n) end
    end
  end
  for job_queue, by_word in pairs(of_ended) do
    for word, ids in pairs(by_word) do
      local list = word == 'done' and list_done or list_others
      list(ended_key(job_queue, word), ids, listed_for(job_queue, word))
    end
  end
end

-- Takes a job out of the list of those that have ended in a queue: it was retried, moved or deleted.
local function forget_ended(job_queue, word, job_id)
  if word == 'failed' or word == 'cancelled' then redis.pcall('ZREM', ended_key(job_queue, word), job_id) end
end

-- Fires slots of a schedule, once, whoever comes: moves it on to its next slot, and starts a run for each as the
-- schedule's policies say. Who comes second finds another slot than it saw, and does nothing; so does a call that is sent
-- twice. `early` where the server's clock has not come to the slot: `left` says how many ms are missing.
-- Answers a word for each slot, and the run that it has, or the one that keeps it from running; and those that were
-- cancelled whose children are still to be.
--@ keys: schedules schedule fired
--@ args: ns now root flow first settings schedule_id seen_digest seen next_ms most
--@ rest: of each slot the slot, and its run: as `take_run` reads it
--@ returns: word:word left:int slots:list<[word:word run:text]> cancelled:list<text>
--@ words: fired | late | early | started | queued | ran | paused | open | full | queue full
--@ include: clock keys type cancel_job count told start_run start_slot queue_behind held_in

local function answer(word, left, slots, cancelled) return { word, left or 0, slots or {}, cancelled or {} } end

expect('zset', schedules)
expect('hash', schedule)
expect('hash', fired)
local score = redis.call('ZSCORE', schedules, schedule_id)
local known = redis.call('HMGET', schedule, 'digest', 'paused', 'overlap', 'last')
if score ~= seen or known[1] ~= seen_digest then return answer('late') end
if time < tonumber(seen) then return answer('early', tonumber(seen) - time) end

local paused, overlap, last = known[2], known[3], known[4]
local runs = take_slots()

-- Whether as many runs of the workflow have slots as may, in its own queue and in those of its overrides and
-- versions, which share its slots.
local function is_full(queue)
  local limit = tonumber(most)
  if limit == 0 then return false end
  local taken = held_in(queue)
  for _, other in ipairs(redis.pcall('HKEYS', flows_key('sharing', '@' .. string.match(queue, '^[^@]+')))) do
    if other ~= queue and other ~= '' then
      taken = taken + held_in(other)
    end
  end
  return taken >= limit
end

local cancelled = {}
-- So many runs of a schedule wait behind its last one at most; and how many do, once that was counted.
local MOST_QUEUED, waiting_behind = 100, nil

-- Returns the word of a slot that does not run now, and the run that keeps it from that; or nothing.
local function kept_back(run)
  local before = run_of_slot(run.slot)
  if before then return 'ran', before end
  if paused then return 'paused', '' end
  if not is_open(last) then
    if overlap == 'skip' and is_full(run.queue) then return 'full', '' end
    return nil
  end
  if overlap == 'skip' then return 'open', last end
  if overlap == 'queue' then
    waiting_behind = waiting_behind or queued(last, MOST_QUEUED)
    if waiting_behind >= MOST_QUEUED then return 'queue full', last end
    queue_behind(last, run)
    waiting_behind = waiting_behind + 1
  end
  if overlap == 'cancel_running' then
    local _, more = cancel_job(flow, first, last, 'the next run of schedule ' .. schedule_id .. ' has begun')
    if more then cancelled[#cancelled + 1] = last end
  end
end

-- So many slots are remembered, the newest: a line `<slot> <run or -> <word>` each, the newest first. Of slots that pass
-- while the schedule is paused the first one stands for all of them.
local MOST_TOLD = 60

local function remember(words)
  local before = redis.call('HGET', schedule, 'slots') or ''
  local is_paused = string.find(before, '^%d+ %- paused') ~= nil
  local lines = {}
  for i, run in ipairs(runs) do
    local word, run_id = words[i][1], words[i][2]
    if word ~= 'paused' or not is_paused then
      table.insert(lines, 1, string.format('%s %s %s', run.slot, run_id ~= '' and run_id or '-', word))
    end
    is_paused = word == 'paused'
  end
  for line in string.gmatch(before, '[^\n]+') do lines[#lines + 1] = line end
  redis.call('HSET', schedule, 'slots', table.concat(lines, '\n', 1, math.min(#lines, MOST_TOLD)))
end

redis.call('ZADD', schedules, next_ms, schedule_id)
local words = {}
for i, run in ipairs(runs) do
  local word, run_id = kept_back(run)
  if not word then
    start_slot(run)
    last = run.id
    word, run_id = run.behind and 'queued' or 'started', last
  end
  words[i] = { word, run_id }
end
redis.call('HSET', schedule, 'last', last or '', 'last_slot', #runs > 0 and runs[#runs].slot or seen)
remember(words)
forget_fired()
put_started()
write_counts()
tell()
return answer('fired', 0, words, cancelled)

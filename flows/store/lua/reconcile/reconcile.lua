-- Finds and repairs what no transition leaves behind, one bounded step of a pass after another.
-- Answers in how many ms the next step may start, 1 while this pass goes on, and what was repaired.
--@ flags: allow-oom
--@ keys: reconcile
--@ args: ns now root first settings
--@ rest: the names of all queues of the flow
--@ returns: wait:int more:int repairs:list<[queue:text id:text word:word+]>
--@ words: gone | misplaced | lease | settled | joined | pending | placed_waiting | placed_processing |
--@ words: placed_delayed | placed_children | lifetime | malformed | slot | ring | counted | error
--@ include: clock type remember reconcile_step reconcile_places reconcile_parents reconcile_jobs reconcile_lookups reconcile_rules remember_layouts trim_endings keys count told settings

-- So many ms of rest follow each check: a pass takes about 1 % of a core of the server, however much there is to check.
local REST = 1

-- The places that a pass checks, in this order, and which place follows which.
local places, after = {}, {}
for i = at, #rest do
  for _, name in ipairs({ 'processing', 'delayed', 'children' }) do places[#places + 1] = name .. ' ' .. rest[i] end
  for _, name in ipairs(extra_places(rest[i])) do places[#places + 1] = name .. ' ' .. rest[i] end
end
places[#places + 1] = 'lookups'
places[#places + 1] = 'jobs'
for i = at, #rest do
  for _, name in ipairs(extra_places(rest[i], true)) do places[#places + 1] = name .. ' ' .. rest[i] end
end
for i, place in ipairs(places) do after[place] = places[i + 1] or '' end

-- Reconciles part of a place from the cursor on; returns the next cursor, or nothing at the end of the place.
local function reconcile_part(place, cursor)
  local name, queue = string.match(place, '^(%a+) (.+)$')
  if place == 'jobs' then return reconcile_jobs(cursor) end
  if place == 'lookups' then return reconcile_lookups(cursor) end
  if name ~= 'processing' and name ~= 'delayed' and name ~= 'children' then
    return reconcile_extra(name, queue, cursor)
  end
  local wrong = conflict('zset', queue_key(queue, name))
  if wrong then return report(queue, '', 'error ' .. wrong) end
  if name == 'children' then return reconcile_parents(queue, cursor) end
  return reconcile_place(queue, name, cursor)
end

local function count_repairs()
  local by_word = {}
  for _, repair in ipairs(repairs) do
    local word = repair[3]
    if string.sub(word, 1, 6) ~= 'error ' then by_word[word] = (by_word[word] or 0) + 1 end
  end
  for word, n in pairs(by_word) do redis.call('HINCRBY', reconcile, 'repaired:' .. word, n) end
end

expect('hash', reconcile)
local state = redis.call('HMGET', reconcile, 'at', 'place', 'cursor')
remember()
remember_layouts()
local pause, wait = 2 * tonumber(lease), (tonumber(state[1]) or 0) - time
-- A wait that is longer than any pause was written before the clock was set back.
if wait > 0 and wait <= math.max(pause, 60000) then return { wait, 0, {} } end
local place, cursor = state[2] or places[1], state[3] or ''
-- Where another version of the flow has stopped in a queue that this one does not have, go on behind all queues.
if not after[place] then place, cursor = 'jobs', '' end
while place ~= '' and checks < MOST_CHECKS do
  cursor = reconcile_part(place, cursor) or ''
  if cursor == '' then place = after[place] end
end
if place ~= '' then
  pause = math.ceil(checks * REST)
  redis.call('HSET', reconcile, 'at', time + pause, 'place', place, 'cursor', cursor)
else
  redis.call('HSET', reconcile, 'at', time + pause)
  redis.call('HDEL', reconcile, 'place', 'cursor')
  trim_endings()
end
count_repairs()
write_counts()
tell()
return { pause, place ~= '' and 1 or 0, repairs }

-- Slots that several queues share: how many are free, and which queues wait for some. In `flows:sharing:<id>` stands for
-- each of them 0, or `<seen> <since> <need>`: when it last found too few, since when it waits, and for how many. Whoever
-- waits longest goes first: the others leave that many to it, as long as it was seen lately.
--@ exports: read_sharing free_before note_waiting note_done pass_slots_on
--@ include: keys rules clock wake type held_in

-- A queue that waits polls more often than that; of one that does not, the workers are gone.
local SEEN_MS = 10000

local function parse(name, text)
  local seen_ms, since, need = string.match(text, '^(%d+) (%d+) (%d+)$')
  if not seen_ms then return nil end
  return { queue = name, late = time - seen_ms > SEEN_MS, since = tonumber(since), need = tonumber(need) }
end

local function sort_by_wait(shared)
  table.sort(shared.waiting, function(one, other)
    if one.since == other.since then return one.queue < other.queue end
    return one.since < other.since
  end)
end

-- Returns the slots that a queue shares: how many there are at `most`, how many are `free`, how many it holds (`own`), what
-- it waits for (`mine`), and all that wait, the first one first. Nothing where something else stands at their key.
local function read_sharing(job_queue)
  local rule = RULES[job_queue]
  local key = flows_key('sharing', rule.sharing)
  if conflict('hash', key) then return nil end
  local shared = { key = key, queue = job_queue, most = rule.slots, own = held_in(job_queue), waiting = {} }
  local held, known = shared.own, false
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local name, text = found[i], found[i + 1]
    if name == '' then
      shared.most = tonumber(text) or shared.most
    else
      if name ~= job_queue then held = held + held_in(name) end
      local one = parse(name, text)
      if one then table.insert(shared.waiting, one) end
      if name == job_queue then shared.mine, known = one, true end
    end
  end
  if not known then redis.call('HSET', key, job_queue, 0) end
  sort_by_wait(shared)
  shared.free = shared.most - held
  return shared
end

-- Returns how many slots are free for the queue: those for which others wait longer are not.
local function free_before(shared)
  local free = shared.free
  for _, one in ipairs(shared.waiting) do
    if one == shared.mine then break end
    if not one.late then free = free - one.need end
  end
  return free
end

-- Notes that the queue waits for so many: behind the others, if it has just got some.
local function note_waiting(shared, need, served)
  if not shared.mine then
    shared.mine = { queue = shared.queue, since = time }
    table.insert(shared.waiting, shared.mine)
  end
  if served then
    shared.mine.since = time
    sort_by_wait(shared)
  end
  shared.mine.late, shared.mine.need = false, need
  redis.call('HSET', shared.key, shared.queue, string.format('%d %d %d', time, shared.mine.since, need))
end

-- Notes that the queue waits for none.
local function note_done(shared)
  if not shared.mine then return end
  shared.mine.need, shared.mine.late = 0, true
  redis.call('HSET', shared.key, shared.queue, 0)
end

-- Wakes a worker of each other queue that waits, as far as the free slots go.
local function pass_slots_on(shared, free)
  for _, one in ipairs(shared.waiting) do
    if free <= 0 or (one.need > free and not one.late) then break end
    if one ~= shared.mine then wake(one.queue) end
    if not one.late then free = free - one.need end
  end
end

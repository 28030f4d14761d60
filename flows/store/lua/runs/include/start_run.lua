-- Starts runs, each once: writes the hash and the lookup lists; `put_started` lets those that start at once wait in their
-- queues, at the end of the script.
--@ exports: start_conflict run_of_key start_run put_started
--@ needs: root
--@ include: keys clock status life place type told holder wake

-- A run is a table: `queue`, `id`, `due` in server ms (0: at once), `key` (`<until when it counts> <digest>`, or ''),
-- `lookups` (a line each, that of its key last) and `fields`. `back` says that a limit keeps it back.

local started, queues, is_owned = {}, {}, {}

-- Returns a sentence where something else stands in the place of what starting the run writes to.
local function start_conflict(run)
  local wrong = place_conflict(run.queue) or conflict('zset', queue_key(run.queue, 'delayed'))
    or conflict('hash', queue_key(run.queue, 'meta'))
  if wrong then return wrong end
  if not is_owned[run.queue] then
    local owner = redis.call('HGET', queue_key(run.queue, 'meta'), 'owner')
    if owner and owner ~= root then return 'the queue ' .. run.queue .. ' belongs to the flow ' .. owner end
    is_owned[run.queue] = owner and 'known' or 'new'
  end
  each_lookup(root, run.lookups, function(list) wrong = wrong or conflict('list', list) end)
  return wrong
end

-- Returns the id of the run that has the key of this one and counts, and whether its input was the same.
local function run_of_key(run)
  if run.key == '' then return nil end
  local id, found = holder(run.lookups, '_key')
  local until_ms, digest = string.match(id and found[1] or '', '^(%d+) (%S+)$')
  if not until_ms or tonumber(until_ms) <= time then return nil end
  return id, digest == string.match(run.key, '(%S+)$')
end

-- A queue that no process has declared is known from now on, with its owner.
local function own(job_queue)
  if is_owned[job_queue] == 'known' then return end
  is_owned[job_queue] = 'known'
  redis.call('HSET', queue_key(job_queue, 'meta'), 'owner', root)
  redis.pcall('HSETNX', flows_key('queues', root), job_queue, 'later')
end

local function stand_in(run)
  local own_list = run.key ~= '' and key_list(run.lookups)
  if own_list then redis.call('DEL', own_list) end -- whoever had the key has it no more
  each_lookup(root, run.lookups, function(list) redis.call('RPUSH', list, run.id) end)
end

-- So late is due what a limit keeps back.
local FAR = 366 * 86400000

-- Writes a run that is not there, all checks done.
local function start_run(run)
  local key = job_key(root, run.id)
  own(run.queue)
  local fields = run.fields
  local function add(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  add('_created', now_text)
  if run.lookups ~= '' then add('_lookups', run.lookups) end
  if run.key ~= '' then add('_key', run.key) end
  if run.back then
    add('_limited', 1)
    run.due = time + FAR
  end
  if run.due > time then
    local due = string.format('%d', run.due)
    local place = queue_key(run.queue, 'delayed')
    enter(key, 'delayed', '_queue', run.queue, '_attempt', '0 - 0 0 0 ' .. due .. ' -', unpack(fields))
    redis.call('ZADD', place, due, run.id)
    if redis.call('ZRANGE', place, 0, 0)[1] == run.id then wake(run.queue) end
  else
    redis.call('HSET', key, '_queue', run.queue, unpack(fields)) -- a hash without a state waits
    told_of(key, 'waiting', run.queue)
    local ids = started[run.queue]
    if not ids then
      ids = {}
      started[run.queue] = ids
      queues[#queues + 1] = run.queue
    end
    ids[#ids + 1] = run.id
  end
  stand_in(run)
end

local function put_started()
  for _, job_queue in ipairs(queues) do put_many(job_queue, started[job_queue]) end
  started, queues = {}, {}
end

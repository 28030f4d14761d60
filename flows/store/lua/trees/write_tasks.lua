-- Writes records of executions, each under the next revision of its instance, and at the end of an execution what it has
-- come to: by the attempt that has the highest fence, and as long as the execution is under way. A call without records
-- takes over. A child of an execution has no fence, and writes over records of running tasks alone.
-- Sent twice, it is done once: an instance knows its last call, and a key for each would be many.
-- Answers of each a word, and the revision of the last record; for `conflict` a sentence that names what stands in the
-- place of a key, and nothing of it is written.
--@ args: ns now
--@ rest: of each its instance, execution, fence, '1' of a child, the revision under which its first record comes if all
--@ rest: have their numbers already, the record of the end or '', for how many ms the instance stays then or '', the name
--@ rest: of the call, how many arguments are results and how many records; then paths and results, paths and records
--@ returns: answers:list<[word:word revision:int about?:text]>
--@ words: ok | stale | conflict
--@ include: clock type keys each_part instance_record outbox_of tell_tree

local changes = {}

-- Takes the next one from the arguments: `rest` has its results from `results` on, its records from `from` to `to`.
local function take_write()
  local id, execution, fence, is_child, first, last, ttl_ms, call_id, results, records = unpack(rest, at, at + 9)
  local from = at + 10 + results
  local one = {
    id = id, execution = execution, fence = fence, is_child = is_child == '1', first = first, last = last,
    ttl_ms = ttl_ms, call_id = call_id, results = at + 10, from = from, to = from + records - 1,
    key = flows_key('tree', id), tasks_key = flows_key('treetasks', id), results_key = flows_key('treeresults', id),
  }
  at = one.to + 1
  return one
end

-- Returns whether all tasks run whose records are to be written.
local function all_run(one)
  local paths = {}
  for i = one.from, one.to, 2 do paths[#paths + 1] = rest[i] end
  if #paths == 0 then return true end
  for _, record in ipairs(redis.call('HMGET', one.tasks_key, unpack(paths))) do
    if not record or string.find(record, '{"status":"running"', 1, true) ~= 1 then return false end
  end
  return true
end

-- Returns whether who writes may do so.
local function may_write(one)
  if one.is_child then return all_run(one) end
  return tonumber(one.fence) >= tonumber(one.last_fence)
end

-- Returns a sentence where something else stands in the place of what is written to.
local function conflict_of(one)
  return conflict('hash', one.tasks_key) or conflict('hash', one.results_key)
    or (one.last ~= '' and conflict('zset', one.outbox))
end

-- Reads the instance; returns the answer where nothing is to be written.
local function read_instance(one)
  local found = redis.pcall('HMGET', one.key, '_order', '_run', '_fence', 'record', 'app', 'key', '_call')
  if found.err then return { 'conflict', 0, conflict('hash', one.key) } end
  local last_call, last_order = string.match(found[7] or '', '^(%S+) (%d+)$')
  if last_call == one.call_id then return { 'ok', tonumber(last_order) } end
  if found[2] ~= one.execution or not is_working(found[4]) then return { 'stale', 0 } end
  one.before, one.last_fence, one.held = tonumber(found[1]), found[3], found[6]
  one.outbox = outbox_key(found[5])
  local wrong = conflict_of(one)
  if wrong then return { 'conflict', 0, wrong } end
  if not may_write(one) then return { 'stale', 0 } end
end

-- Puts the revisions into the records, unless they have them already.
local function number_records(one, order)
  if one.first == string.format('%d', one.before + 1) then return end
  for i = one.from + 1, one.to, 2 do rest[i] = numbered(rest[i], one.before + (i - one.from + 1) / 2) end
  if one.last ~= '' then one.last = numbered(one.last, order) end
end

-- Writes what the execution has come to; from now on it is under way no more.
local function write_end(one, order_text, ...)
  redis.call('HSET', one.key, 'record', one.last, 'updated', now_text, 'shown', order_text, ...)
  if one.ttl_ms ~= '' then
    each_part(one.id, one.held, function(key) redis.call('PEXPIRE', key, one.ttl_ms) end)
  end
  redis.call('ZADD', one.outbox, now_text, one.id)
end

-- Writes one; returns its answer.
local function write(one)
  local answer = read_instance(one)
  if answer then return answer end
  local has_end = one.last ~= ''
  local order = one.before + (one.to - one.from + 1) / 2 + (has_end and 1 or 0)
  number_records(one, order)
  if one.results < one.from then redis.call('HSET', one.results_key, unpack(rest, one.results, one.from - 1)) end
  if one.from < one.to then redis.call('HSET', one.tasks_key, unpack(rest, one.from, one.to)) end
  local order_text = string.format('%d', order)
  local fence = one.is_child and one.last_fence or one.fence
  local call_text = one.call_id .. ' ' .. order_text
  if has_end then
    write_end(one, order_text, '_order', order_text, '_fence', fence, '_call', call_text)
  else
    redis.call('HSET', one.key, '_order', order_text, '_fence', fence, '_call', call_text)
  end
  if order > one.before then changes[#changes + 1] = one end
  return { 'ok', order }
end

local function message_of(one)
  local lines = { string.format('%d', one.before + 1) }
  for i = one.from, one.to, 2 do lines[#lines + 1] = rest[i] .. '\t' .. rest[i + 1] end
  if one.last ~= '' then lines[#lines + 1] = '#\t' .. one.last end
  return table.concat(lines, '\n')
end

local answers = {}
while at <= #rest do answers[#answers + 1] = write(take_write()) end
tell_trees(changes, message_of)
return answers

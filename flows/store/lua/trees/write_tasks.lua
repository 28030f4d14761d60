-- Writes records of an execution, each under the next revision of its instance, and at its end what it has come to:
-- by the attempt that has the highest fence, and as long as the execution is under way. A call without records takes
-- over. A child of the execution has no fence, and writes over records of running tasks alone.
-- Sent twice, it is done once: the instance knows its last call, and a key for each would be many.
-- Answers a word, and the revision of the last record.
--@ keys: instance tasks results log
--@ args: ns now instance_id execution fence is_child end_record ttl_ms call_id
--@ rest: of each record its path, its text, and the result of its task, or ''
--@ returns: word:word revision:int
--@ words: ok | stale
--@ include: arguments clock type each_key instance_record outbox_of tell_tree

expect('hash', tasks)
expect('hash', results)

-- Writes all records; returns the revision of the last one, and adds a line for each.
local function write_records(order, lines)
  local records, made = {}, {}
  while at <= #rest do
    local path, record, result = take(), take(), take()
    order = order + 1
    record = numbered(record, order)
    records[#records + 1], records[#records + 2] = path, record
    if result ~= '' then made[#made + 1], made[#made + 2] = path, result end
    lines[#lines + 1] = path .. '\t' .. record
  end
  if #records > 0 then redis.call('HSET', tasks, unpack(records)) end
  if #made > 0 then redis.call('HSET', results, unpack(made)) end
  return order
end

-- Writes what the execution has come to; from now on it is under way no more.
local function write_end(order, lines, outbox, key)
  local record = numbered(end_record, order)
  redis.call('HSET', instance, 'record', record, 'updated', now_text, 'shown', order)
  lines[#lines + 1] = '#\t' .. record
  if ttl_ms ~= '' then
    each_key(key, function(one) redis.call('PEXPIRE', one, ttl_ms) end)
  end
  redis.call('ZADD', outbox, now_text, instance_id)
end

-- Returns whether all tasks of the records run.
local function all_run()
  local paths = {}
  for i = at, #rest, 3 do paths[#paths + 1] = rest[i] end
  if #paths == 0 then return true end
  for _, record in ipairs(redis.call('HMGET', tasks, unpack(paths))) do
    if not record or string.find(record, '{"status":"running"', 1, true) ~= 1 then return false end
  end
  return true
end

-- Returns whether who writes may do so.
local function may_write(last_fence)
  if is_child == '1' then return all_run() end
  return tonumber(fence) >= tonumber(last_fence)
end

local found = redis.call('HMGET', instance, '_order', '_run', '_fence', 'record', 'app', 'key', '_call')
local last_call, last_order = string.match(found[7] or '', '^(%S+) (%d+)$')
if last_call == call_id then return { 'ok', tonumber(last_order) } end
if found[2] ~= execution or not is_working(found[4]) or not may_write(found[3]) then return { 'stale', 0 } end
local outbox = end_record ~= '' and outbox_of(found[5])
local before = tonumber(found[1])
local lines = { string.format('%d', before + 1) }
local order = write_records(before, lines)
if end_record ~= '' then
  order = order + 1
  write_end(order, lines, outbox, found[6])
end
local last_fence = is_child == '1' and found[3] or fence
redis.call('HSET', instance, '_order', order, '_fence', last_fence, '_call', string.format('%s %d', call_id, order))
if order > before then tell_tree(table.concat(lines, '\n')) end
return { 'ok', order }

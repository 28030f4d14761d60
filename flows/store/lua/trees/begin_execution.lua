-- Begins an execution of an instance, unless another one is under way, or the instance has another revision than was
-- seen. Safe to send twice: it is `same` then.
-- Whose tree has another digest is told so, and sends that, and the paths that are gone.
-- Answers a word, the execution that is under way, and the instance's revision.
--@ keys: instance
--@ args: ns now instance_id execution if_revision record tree_digest is_another_tree
--@ rest: fields of the instance and their values, counted; then the paths that its tree has no more
--@ returns: word:word execution:text revision:int
--@ words: begun | same | busy | moved | gone | tree
--@ include: arguments clock each_key instance_record outbox_of drop_records tell_tree

expect_hashes(instance_id)
local found = redis.call('HMGET', instance, '_order', '_run', 'record', 'app', 'key', 'tree_digest')
local order = tonumber(found[1])
if not order then return { 'gone', '', 0 } end
if found[2] == execution then return { 'same', execution, order } end
if is_working(found[3]) then return { 'busy', found[2], order } end
if order ~= tonumber(if_revision) then return { 'moved', '', order } end
if is_another_tree ~= '1' and found[6] ~= tree_digest then return { 'tree', '', order } end
local outbox = outbox_of(found[4])

order = order + 1
local fields = take_counted()
drop_records(instance_id, rest, at, #rest)
local begun = string.sub(numbered(record, order), 1, -2) .. ',"started":' .. now_text .. '}'
local function add(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
add('_run', execution)
add('_fence', 0)
add('_order', order)
add('shown', order)
add('record', begun)
add('updated', now_text)
if is_another_tree == '1' then add('changed', order) end
redis.call('HSET', instance, unpack(fields))
if redis.call('PERSIST', instance) == 1 then
  each_key(instance_id, found[5], function(key) redis.call('PERSIST', key) end)
end
redis.call('ZADD', outbox, now_text, instance_id)
tell_tree(instance_id, '')
return { 'begun', execution, order }

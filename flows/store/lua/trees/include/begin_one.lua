-- Begins executions of instances, each unless another one is under way or its instance has another revision than was
-- seen. Safe to send twice: it is `same` then. Whose tree has another digest is told so, and sends that, and the paths
-- that are gone.
--@ exports: take_begin cannot_begin begin_one
--@ needs: rest at
--@ include: arguments clock keys type each_part instance_record outbox_of drop_records tell_tree

-- Takes the next one from the arguments: its instance, execution, the revision that was seen, the record of the instance,
-- the digest of its tree, '1' where it brings another one, how many arguments are fields and how many are paths that the
-- tree has no more; then those.
local function take_begin()
  local id, execution, if_revision, record, tree_digest, is_another_tree, fields, gone = unpack(rest, at, at + 7)
  at = at + 8
  local one = {
    id = id, execution = execution, if_revision = tonumber(if_revision), record = record, tree_digest = tree_digest,
    is_another_tree = is_another_tree == '1', fields = take_list(tonumber(fields)), from = at, to = at + gone - 1,
    key = flows_key('tree', id),
  }
  at = one.to + 1
  return one
end

-- Returns a sentence where something else stands in the place of what is written to.
local function conflict_of(one)
  return conflict('zset', one.outbox) or (one.is_another_tree and conflict('hash', flows_key('treetasks', one.id)))
end

-- Returns the answer where it cannot begin: a word, the execution that is under way or a sentence, and the revision.
local function cannot_begin(one)
  local found = redis.pcall('HMGET', one.key, '_order', '_run', 'record', 'app', 'key', 'tree_digest')
  if found.err then return { 'conflict', conflict('hash', one.key), 0 } end
  local order = tonumber(found[1])
  if not order then return { 'gone', '', 0 } end
  if found[2] == one.execution then return { 'same', one.execution, order } end
  if is_working(found[3]) then return { 'busy', found[2], order } end
  if order ~= one.if_revision then return { 'moved', '', order } end
  if not one.is_another_tree and found[6] ~= one.tree_digest then return { 'tree', '', order } end
  one.outbox, one.held = outbox_key(found[4]), found[5]
  local wrong = conflict_of(one)
  if wrong then return { 'conflict', wrong, 0 } end
end

-- Begins one that can; returns the answer.
local function begin_one(one)
  local order_text = string.format('%d', one.if_revision + 1)
  drop_records(one.id, rest, one.from, one.to)
  local begun = string.sub(numbered(one.record, order_text), 1, -2) .. ',"started":' .. now_text .. '}'
  if one.is_another_tree then redis.call('HSET', one.key, 'changed', order_text) end
  redis.call('HSET', one.key, '_run', one.execution, '_fence', 0, '_order', order_text, 'shown', order_text, 'record',
    begun, 'updated', now_text, unpack(one.fields))
  if redis.call('PERSIST', one.key) == 1 then
    each_part(one.id, one.held, function(key) redis.call('PERSIST', key) end)
  end
  redis.call('ZADD', one.outbox, now_text, one.id)
  tell_tree(one.id, '')
  return { 'begun', one.execution, one.if_revision + 1 }
end

-- Changes an instance that has the revision that was seen: its data and tree only while no execution is under way.
-- Sent twice, it is done once. Answers a word, and the instance's revision.
--@ keys: instance call
--@ args: ns now instance_id if_revision is_of_tree is_another_tree
--@ rest: fields of the instance and their values, counted; then the paths that its tree has no more
--@ returns: word:word revision:int
--@ words: changed | moved | busy | gone
--@ include: arguments clock once each_part instance_record outbox_of drop_records tell_tree

expect_hashes(instance_id)
return once(function()
  local found = redis.call('HMGET', instance, '_order', 'record', 'app')
  local order = tonumber(found[1])
  if not order then return { 'gone', 0 } end
  if order ~= tonumber(if_revision) then return { 'moved', order } end
  if is_of_tree == '1' and is_working(found[2]) then return { 'busy', order } end
  local outbox = outbox_of(found[3])

  order = order + 1
  local fields = take_counted()
  drop_records(instance_id, rest, at, #rest)
  if #fields > 0 then redis.call('HSET', instance, unpack(fields)) end
  redis.call('HSET', instance, '_order', order, 'shown', order, 'updated', now_text)
  if is_another_tree == '1' then redis.call('HSET', instance, 'changed', order) end
  redis.call('ZADD', outbox, now_text, instance_id)
  tell_tree(instance_id, '')
  return { 'changed', order }
end)

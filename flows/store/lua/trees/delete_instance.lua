-- Deletes an instance with all that it has. Sent twice, it answers the same.
--@ flags: allow-oom
--@ keys: instance call
--@ args: ns now instance_id
--@ returns: word:word
--@ words: deleted | gone
--@ include: clock once each_part outbox_of tell_tree

expect_hashes(instance_id)
local answer = once(function()
  local found = redis.call('HMGET', instance, 'app', 'key')
  if not found[1] then return { 'gone' } end
  local outbox = outbox_of(found[1])
  each_part(instance_id, found[2], function(key) redis.call('UNLINK', key) end)
  redis.call('ZADD', outbox, now_text, instance_id)
  tell_tree(instance_id, '')
  return { 'deleted' }
end)
return answer[1]

-- Creates an instance of a tree at revision 1, once: by its id, and by its idempotency key as long as the instance that
-- has it is there. Answers the id of the one that is there now.
--@ keys: instance key_holder apps
--@ args: ns now instance_id app has_key
--@ rest: fields of the instance and their values
--@ returns: id:text
--@ include: clock keys type outbox_of

expect('hash', instance)
expect('hash', apps)
local outbox = outbox_of(app)
if has_key == '1' then
  expect('string', key_holder)
  local holder = redis.call('GET', key_holder)
  if holder and redis.call('EXISTS', flows_key('tree', holder)) == 1 then return holder end
end
if redis.call('EXISTS', instance) == 1 then return instance_id end
local times = { 'created', now_text, 'updated', now_text }
redis.call('HSET', instance, '_order', 1, 'changed', 1, 'shown', 1, unpack(times))
redis.call('HSET', instance, unpack(rest, at))
if has_key == '1' then redis.call('SET', key_holder, instance_id) end
redis.call('HSETNX', apps, app, now_text)
redis.call('ZADD', outbox, now_text, instance_id)
return instance_id

-- Publishes up to 200 of a parent's written children: from now on they wait in their queues. Called until none is left.
-- Answers how many are left.
--@ keys: building
--@ args: ns now root flow queue worker_id id fence
--@ returns: word:word left:int
--@ words: ok | stale | gone | malformed
--@ include: owned child type keys place

local job, word = owned(id, fence)
if not job then return { word, 0 } end
expect('list', building)
local built = {}
for i, key in ipairs(redis.call('LRANGE', building, 0, 199)) do
  local child, child_id = split(string.sub(key, #(ns .. 'job:') + 1))
  expect_place_of(child)
  expect('hash', flows_key('parents', child))
  built[i] = { child, child_id }
end
if not published(job) then
  redis.call('HSET', job.key, '_built', 1, '_building', visit_of(job),
    'children:' .. queue .. ':jobs', json_keys(redis.call('LRANGE', building, 0, -1)))
end
for _, child in ipairs(built) do redis.call('PERSIST', job_key(child[1], child[2])) end
redis.call('LPOP', building, #built)
publish_children(job, built)
return { 'ok', redis.call('LLEN', building) }

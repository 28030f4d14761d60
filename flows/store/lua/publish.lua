-- Lets up to 200 of a parent's written children wait in their queues; called until none is left.
--@ args: ns now flow queue worker id fence
--@ returns: the word, and how many are still to come
--@ include: clock owned child

local job, word = owned(flow, queue, id, worker, fence)
if not job then return { word, 0 } end
local building = flows_key('building', flow .. ':' .. id)
if redis.call('HEXISTS', job.key, '_built') == 0 then
  local keys = redis.call('LRANGE', building, 0, -1)
  for i, key in ipairs(keys) do keys[i] = '"' .. key .. '"' end
  redis.call('HSET', job.key, '_built', 1, 'children:' .. queue .. ':jobs', '[' .. table.concat(keys, ',') .. ']')
end
local built = {}
for i, key in ipairs(redis.call('LPOP', building, 200) or {}) do
  redis.call('PERSIST', key)
  local child, child_id = split(string.sub(key, #(ns .. 'job:') + 1))
  built[i] = { child, child_id }
end
publish_children(built)
return { 'ok', redis.call('LLEN', building) }

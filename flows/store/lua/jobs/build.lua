-- Writes one part of a parent's many children, which no worker sees yet; a part that is sent twice is written once.
-- Answers how many children are written by now.
--@ keys: building
--@ args: ns now root flow queue worker_id id fence settings offset
--@ rest: the children of this part
--@ returns: word:word written:int
--@ words: ok | built | stale | gone | malformed
--@ include: owned held child type keys new_children

local job, word = owned(id, fence)
if not job then return { word, 0 } end
if published(job) then return { 'built', 0 } end
expect('list', building)
local wrong = children_conflict(job.id, at)
if wrong then return { err = 'FLOWSCONFLICT ' .. wrong } end
local written = redis.call('LLEN', building)
if written == 0 or redis.call('HGET', job.key, '_building') ~= visit_of(job) then
  forget_children(job)
  redis.call('HSET', job.key, '_building', visit_of(job))
  written = 0
end
if written ~= tonumber(offset) then return { 'ok', written } end
local total = redis.call('RPUSH', building, unpack(keys_of(take_children(job, tonumber(held_ttl)))))
if held_ttl ~= '0' then
  redis.call('PEXPIRE', building, held_ttl)
  redis.call('PEXPIRE', flows_key('pending', flow .. ':' .. job.id), held_ttl)
end
return { 'ok', total }

-- Rescues the jobs of one queue whose leases are over, up to 100 a call.
-- Answers a word per job.
--@ flags: allow-oom
--@ keys: waiting processing
--@ args: ns now root flow queue ttl kept_done kept_failed kept_cancelled max_crashes isolated_from
--@ returns: rescued:list<[id:text word:word]>
--@ words: rescued | poison | cancelled | expired | malformed | misplaced
--@ include: clock type rescue keys wake

expect('list', waiting)
expect('zset', processing)
expect('hash', flows_key('cancelling', root))
local answers = {}
for i, id in ipairs(redis.call('ZRANGE', processing, '-inf', time, 'BYSCORE', 'LIMIT', 0, 100)) do
  answers[i] = { id, rescue(id) }
end
if redis.call('LLEN', waiting) > 0 then wake(queue) end
return answers

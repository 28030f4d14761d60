-- Rescues the jobs of one queue whose leases are over, up to 100 a call. A call that comes after `until_ms`, or when the
-- server has only just begun, rescues none: workers that live renew first.
-- Answers a word per job.
--@ flags: allow-oom
--@ keys: processing
--@ args: ns now root flow queue settings until_ms
--@ returns: rescued:list<[id:text word:word]>
--@ words: rescued | poison | cancelled | undoing | expired | malformed | misplaced
--@ include: clock type rescue keys lost_wake server_history place count told

expect_place_of(queue)
expect('zset', processing)
expect('hash', flows_key('cancelling', root))
local answers = {}
if time > tonumber(until_ms) or just_began() then return answers end
for i, id in ipairs(redis.call('ZRANGE', processing, '-inf', time, 'BYSCORE', 'LIMIT', 0, 100)) do
  answers[i] = { id, rescue(id) }
end
wake_again(queue)
write_counts()
tell()
return answers

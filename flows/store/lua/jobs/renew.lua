-- Extends the leases of one worker, up to 200 a call.
-- Answers a word per job: whether its lease is kept or lost, and whether the job is to be cancelled.
--@ flags: allow-oom
--@ keys: processing
--@ args: ns now flow worker_id ttl lease
--@ rest: id, fence for each job
--@ returns: words:list<word>
--@ words: kept | cancel | stale | gone | malformed
--@ include: clock owned held life type

expect('zset', processing)
local words = {}
for i = at, #rest, 2 do
  local id = rest[i]
  local job, word = owned(flow, id, rest[i + 1])
  if job then
    redis.call('ZADD', processing, time + tonumber(lease), id)
    refresh(flow, job.key, job.lookups, held_ttl)
    word = job.cancel and 'cancel' or 'kept'
  end
  words[#words + 1] = word
end
return words

-- Extends the leases of one worker, up to 200 a call, or of all that its turn of this number has claimed: while a loop
-- stands still it may not have read which jobs those are.
-- Answers a word per job: whether its lease is kept or lost, and whether the job is to be cancelled.
--@ flags: allow-oom
--@ keys: processing call
--@ args: ns now flow worker_id settings number
--@ rest: id, fence for each job
--@ returns: words:list<word>
--@ words: kept | cancel | stale | gone | malformed
--@ include: clock owned held life type settings

local function extend(member, fence)
  local job, word = owned(member, fence)
  if not job then return word end
  redis.call('ZADD', processing, time + tonumber(lease), member)
  refresh(flow, job.key, job.lookups, held_ttl)
  return job.cancel and 'cancel' or 'kept'
end

local function claimed_by_turn()
  local last = redis.call('GET', call)
  local parts = last and cmsgpack.unpack(last)
  if not parts or parts[1] ~= number then return {} end
  -- The turn may be sent again when the loop runs, and has to be answered as before.
  redis.call('PEXPIRE', call, math.max(60000, tonumber(lease) * 2))
  return parts[3]
end

expect('zset', processing)
expect('string', call)
local words = {}
for i = at, #rest, 2 do
  words[#words + 1] = extend(rest[i], rest[i + 1])
end
if number ~= '0' then
  local given = claimed_by_turn()
  for i = 1, #given, 2 do
    extend(given[i], tostring(given[i + 1]))
  end
end
return words

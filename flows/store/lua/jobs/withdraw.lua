-- Withdraws a job whose creation met an error, while no worker has it.
-- Answers the job's state where a worker has it.
--@ flags: allow-oom
--@ keys: waiting
--@ args: ns flow first id
--@ rest: the job's lookup lists
--@ returns: word:word
--@ words: withdrawn | waiting | delayed | processing | children | done | failed | cancelled
--@ include: keys member

local key = job_key(flow, id)
local status = redis.pcall('HGET', key, '_status')
if type(status) == 'string' then return status end
redis.pcall('LREM', waiting, -1, member_of(first, flow, id))
for i = at, #rest do redis.pcall('LREM', rest[i], -1, id) end
if redis.call('TYPE', key).ok == 'hash' then redis.call('DEL', key) end
return 'withdrawn'

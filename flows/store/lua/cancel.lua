-- Cancels one job: at once where nobody works on it, else by a flag that its worker sees when it renews.
--@ flags: allow-oom
--@ args: ns now flow first id ttl kept_done kept_failed kept_cancelled reason
--@ returns: the word: cancelled, requested, too late or gone; and ids of children still to be cancelled
--@ include: clock take_out
--@ include: cancel

local key = job_key(flow, id)
local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_parent')
if job.err then return { 'malformed', {} } end
if redis.call('EXISTS', key) == 0 then return { 'gone', {} } end
local status, queue = job[1] or 'waiting', job[2] or first
local children = {}
if status == 'processing' then
  redis.call('HSET', key, '_cancel', reason)
  return { 'requested', {} }
elseif status == 'children' then
  children = pending_children(flow, id)
elseif status ~= 'waiting' and status ~= 'delayed' then
  return { 'too late', {} }
end
take_out(id, key, status, queue)
cancel(id, key, status, job[3], job[4], reason)
return { 'cancelled', children }

-- Writes one part of a parent's many children, which no worker sees yet. Sent twice, it writes once.
--@ args: ns now flow queue worker id fence ttl offset
--@ rest: the children of this part
--@ returns: the word, and how many are written by now
--@ include: clock owned child

local job, word = owned(flow, queue, id, worker, fence)
if not job then return { word, 0 } end
if redis.call('HEXISTS', job.key, '_built') == 1 then return { 'built', 0 } end
local building = flows_key('building', flow .. ':' .. id)
local written = redis.call('LLEN', building)
if written ~= tonumber(offset) then return { 'ok', written } end
if written == 0 then redis.call('DEL', settled_key(job)) end
local keys = {}
for i, child in ipairs(take_children(job, tonumber(ttl))) do keys[i] = job_key(child[1], child[2]) end
local total = redis.call('RPUSH', building, unpack(keys))
if tonumber(ttl) > 0 then redis.call('PEXPIRE', building, ttl) end
return { 'ok', total }

-- Sees in which history of the server our keys are: fences begin anew from its time where that is another one.
-- A replica that took over, or a backup that was restored, may not know the last claims of the history before.
--@ flags: allow-oom
--@ keys: history
--@ args: ns now
--@ returns: word:word
--@ words: known | first | another | unknown
--@ include: clock type

-- The next epoch lies so far behind the last one at least, should the clock have been set back.
local LEAST = 1000000

expect('hash', history)
local info = redis.pcall('INFO', 'replication')
local replid = type(info) == 'string' and string.match(info, 'master_replid:(%x+)')
if not replid then return 'unknown' end
local before = redis.call('HMGET', history, 'replid', 'epoch')
if before[1] == replid then return 'known' end
redis.call('HSET', history, 'replid', replid)
if not before[1] then return 'first' end
local epoch = math.max(time, (tonumber(before[2]) or 0) + LEAST)
redis.call('HSET', history, 'epoch', string.format('%d', epoch), 'since', now_text)
return 'another'

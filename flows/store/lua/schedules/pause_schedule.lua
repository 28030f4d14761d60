-- Pauses a schedule, or lets it go on: while it is paused its slots pass, and start nothing.
--@ flags: allow-oom
--@ args: ns now schedule_id paused note
--@ returns: answer:word
--@ words: paused | resumed | not paused | gone
--@ include: clock keys type

local hash = flows_key('schedule', schedule_id)
expect('hash', hash)
if redis.call('EXISTS', hash) == 0 then return 'gone' end
if paused == '1' then
  redis.call('HSETNX', hash, 'paused', now_text)
  redis.call('HSET', hash, 'note', note)
  return 'paused'
end
return redis.call('HDEL', hash, 'paused', 'note') > 0 and 'resumed' or 'not paused'

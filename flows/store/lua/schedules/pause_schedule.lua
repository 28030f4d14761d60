-- Pauses a schedule, or lets it go on: while it is paused its slots pass, and start nothing.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now schedule_id paused note
--@ returns: answer:word
--@ words: paused | was paused | resumed | not paused | gone
--@ include: clock keys type once

local hash = flows_key('schedule', schedule_id)
expect('hash', hash)
return once(function()
  if redis.call('EXISTS', hash) == 0 then return { 'gone' } end
  if paused == '1' then
    local new = redis.call('HSETNX', hash, 'paused', now_text)
    redis.call('HSET', hash, 'note', note)
    return { new == 1 and 'paused' or 'was paused' }
  end
  return { redis.call('HDEL', hash, 'paused', 'note') > 0 and 'resumed' or 'not paused' }
end)[1]

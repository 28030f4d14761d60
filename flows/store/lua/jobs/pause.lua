-- Pauses a queue, or lets it go on. While it is paused no job of it is given to a worker; those in flight go on.
-- `until_ms` is the server's time at which the pause ends, `inf` for none, and 0 to let it go on at once.
-- Answers `over` where that time has passed already: nothing is written then.
--@ flags: allow-oom
--@ args: ns now queue until_ms note
--@ returns: answer:word
--@ words: paused | over | resumed | not paused
--@ include: clock keys type wake

local meta = queue_key(queue, 'meta')
expect('hash', meta)
if until_ms == '0' then
  local removed = redis.call('HDEL', meta, 'paused', 'paused_at', 'paused_note')
  wake(queue)
  return removed > 0 and 'resumed' or 'not paused'
end
if tonumber(until_ms) <= time then return 'over' end -- `inf` is a number too
redis.call('HSET', meta, 'paused', until_ms, 'paused_at', now_text, 'paused_note', note)
-- A worker that sleeps until an earlier pause was to end would sleep on where this one ends before.
wake(queue)
return 'paused'

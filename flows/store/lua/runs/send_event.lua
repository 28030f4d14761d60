-- Keeps an event, once for its id, and lets up to some 200 runs that wait for it go on; called until the cursor is '0'.
-- Where the caller does not get to that, any rescuer goes on.
-- Answers the next cursor and how many steps were settled.
--@ keys: call
--@ args: ns now root flow settings event event_id ttl_ms cursor_from
--@ rest: what the event carries, JSON
--@ returns: cursor:text settled:int
--@ include: keys type deliver told once

local MOST = 1000
local stream, sent, sending = flows_key('event', event), flows_key('sent', event .. ':' .. event_id), flows_key('sending', root)
expect('stream', stream)
expect('hash', flows_key('waiters', event))
expect('string', sent)
expect('hash', sending)
return once(function()
  if redis.call('EXISTS', sent) == 0 then
    local entry = redis.call('XADD', stream, 'MAXLEN', '~', MOST, '*', 'data', rest[at])
    redis.call('PEXPIRE', stream, ttl_ms)
    redis.call('SET', sent, entry, 'PX', ttl_ms)
  end
  local next_cursor, settled = deliver(event, cursor_from)
  if next_cursor ~= '0' then redis.call('HSET', sending, event, 1) else redis.call('HDEL', sending, event) end
  tell()
  return { next_cursor, settled }
end)

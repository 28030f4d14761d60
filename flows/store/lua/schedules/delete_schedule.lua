-- Deletes a schedule; one that an app's code declares stays, since its workers would write it again.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now schedule_id stale_ms
--@ returns: answer:word+
--@ words: deleted | gone | declared
--@ include: keys type declared_by forget_schedule once

local hash = flows_key('schedule', schedule_id)
expect('hash', hash)
expect('zset', ns .. 'flows:schedules')
return once(function()
  local app = redis.call('HGET', hash, 'app')
  if app and app ~= '' then
    if declared_by(app, schedule_id) then return { 'declared ' .. app } end
    redis.call('HDEL', flows_key('declared', app), schedule_id)
  end
  forget_schedule(schedule_id)
  return { app and 'deleted' or 'gone' }
end)[1]

-- Forgets a schedule. Which slots it has run stays for a while: one of the same id does not run them again.
--@ exports: forget_schedule
--@ needs: ns
--@ include: keys

local KEPT_MS = 31 * 86400000

local function forget_schedule(id)
  redis.call('DEL', flows_key('schedule', id))
  redis.call('ZREM', ns .. 'flows:schedules', id)
  redis.call('PEXPIRE', flows_key('fired', id), KEPT_MS)
end

-- What the reconcilers of all processes of a flow know of each other.
--@ exports: longest remember
--@ needs: reconcile first
--@ include: clock settings

local HOUR, WEEK = 3600000, 604800000
-- The longest lease of all processes of the flow: a lease that is too long for one may be usual for another.
local longest = tonumber(lease)

-- Records for other processes what only the caller knows: its lease, and the queue in which it creates jobs.
local function remember()
  local known = redis.call('HMGET', reconcile, 'lease', 'lease_until')
  local other, ends = tonumber(known[1]) or 0, tonumber(known[2]) or 0
  if other > longest and ends > time then
    longest = other
  elseif other ~= longest or ends < time + HOUR / 2 then
    redis.call('HSET', reconcile, 'lease', longest, 'lease_until', time + HOUR)
  end
  redis.call('HSETNX', reconcile, 'first:' .. first, 1)
  redis.call('PEXPIRE', reconcile, WEEK)
end

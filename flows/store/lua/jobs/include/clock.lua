-- Reads the server's time in milliseconds, the only clock that decides. Tests may pass their own as `now`, or as a
-- negative number how far ahead of the server's they are.
--@ exports: time now_text
--@ needs: now

local time = tonumber(now)
if time <= 0 then
  local read = redis.call('TIME')
  time = read[1] * 1000 + math.floor(read[2] / 1000) - time
end
local now_text = string.format('%d', time)

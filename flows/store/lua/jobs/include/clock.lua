-- Reads the server's time in milliseconds, the only clock that decides; tests may pass their own as `now`.
--@ exports: time now_text
--@ needs: now

local time = tonumber(now)
if time <= 0 then
  local read = redis.call('TIME')
  time = read[1] * 1000 + math.floor(read[2] / 1000)
end
local now_text = string.format('%d', time)

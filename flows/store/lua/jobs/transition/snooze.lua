-- Ends an attempt without using it up; the job is tried again after a delay, or at a time.
--@ exports: snooze
--@ include: retry arguments clock history wake

-- Arguments: the delay in milliseconds and 0, or -1 where it is for others; or -1 and the server's time in milliseconds;
-- the reason as JSON.
local function snooze(job)
  local delay_ms, until_ms, reason = tonumber(take()), tonumber(take()), take()
  if until_ms < 0 then pass_on_alarm() end
  if delay_ms < 0 then delay_ms = math.max(0, until_ms - time) end
  delay(job, delay_ms, -1, '_history', history_with(job, 'snooze', ',"reason":' .. reason))
end

-- Says whether a job is still one of those that were asked for, when many are acted on: since it was found it may have
-- gone on, or have ended once more.
--@ exports: is_asked
--@ needs: states ended_before

-- `states` are names with spaces around each, or '' for any; a job that has ended did so before the server's time
-- `ended_before`, or at whatever time where that is 0.
local function is_asked(status, ended)
  if states ~= '' and not string.find(states, ' ' .. status .. ' ', 1, true) then return false end
  return ended_before == '0' or not ended or (tonumber(ended) or 0) < tonumber(ended_before)
end

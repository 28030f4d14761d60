-- What became of the attempts after which the job is tried again: a JSON object a line, of which the last 20 stay.
--@ include: clock

local MOST_LINES = 20

-- Returns the history with one more line; `more` is JSON members that the verb adds, or nothing.
local function history_with(history, attempt, by, verb, more)
  local line = '{"queue":"' .. queue .. '","attempt":' .. attempt .. ',"worker":"' .. by .. '","at":' .. time
    .. ',"verb":"' .. verb .. '"' .. (more or '') .. '}'
  if not history then return line end
  local _, lines = string.gsub(history, '\n', '\n')
  if lines + 1 >= MOST_LINES then history = string.match(history, '\n(.*)$') end
  return history .. '\n' .. line
end

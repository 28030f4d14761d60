-- Writes a job's history: a JSON object a line for each attempt that the job's last state does not tell; 20 lines stay.
--@ exports: history_with
--@ needs: queue
--@ include: clock attempt

local MOST_LINES = 20

-- Returns the job's history with one more line; `more` is JSON members that the verb adds, or nothing.
local function history_with(job, verb, more)
  local _, by, attempts = read_attempt(job.attempt)
  local line = '{"queue":"' .. queue .. '","attempt":' .. (attempts or 1) .. ',"worker":"' .. (by or '')
    .. '","at":' .. now_text .. ',"verb":"' .. verb .. '"' .. (more or '') .. '}'
  local history = job.history
  if not history then return line end
  local _, lines = string.gsub(history, '\n', '\n')
  if lines + 1 >= MOST_LINES then history = string.match(history, '\n(.*)$') end
  return history .. '\n' .. line
end

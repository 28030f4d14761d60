-- Says whether a job is still one of those that were asked for, when many are acted on: since it was found it may have
-- gone on, or have ended once more.
--@ exports: is_asked is_wanted
--@ needs: states ended_before
--@ include: keys

-- `states` are names with spaces around each, or '' for any; a job that has ended did so before the server's time
-- `ended_before`, or at whatever time where that is 0.
local function is_asked(status, ended)
  if states ~= '' and not string.find(states, ' ' .. status .. ' ', 1, true) then return false end
  return ended_before == '0' or (tonumber(ended) or 0) < tonumber(ended_before)
end

-- Says so of a job that is to be cancelled, by its hash: it is asked for by its state alone.
local function is_wanted(job_flow, job_id)
  if states == '' then return true end
  local status = redis.pcall('HGET', job_key(job_flow, job_id), '_status')
  return type(status) == 'table' or is_asked(status or 'waiting')
end

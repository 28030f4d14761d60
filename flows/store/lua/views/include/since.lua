-- Reads since when jobs are where they are: of a job that was never claimed its id has the time.
--@ exports: since_of since_waiting
--@ needs: root first
--@ include: keys member

-- Returns since when a job is where it is, by its `_attempt` and its id; nil where neither says so.
local function since_of(job_id, attempt)
  local since = attempt and string.match(attempt, '^%d+ %S+ %d+ %d+ %d+ (%d+)')
  if since and #since < 16 then return tonumber(since) end
  local high, low = string.match(job_id, '^(%x%x%x%x%x%x%x%x)%-(%x%x%x%x)%-7')
  return high and tonumber(high, 16) * 65536 + tonumber(low, 16) or nil
end

-- Returns since when a job waits that stands so in the list of a queue, and whether it still waits there: if not, the time
-- is that of its id.
local function since_waiting(job_flow, job_queue, member)
  local job_id
  job_flow, job_id = flow_and_id(job_flow, member)
  local job = redis.pcall('HMGET', job_key(job_flow, job_id), '_status', '_queue', '_attempt')
  -- A hash without `_status`, if there is one, waits where it was created.
  local fresh = (job_queue == first or job_flow ~= root) and 'waiting'
  local waits = not job.err and (job[1] or fresh) == 'waiting' and (job[2] or job_queue) == job_queue
  return since_of(job_id, waits and job[3]), waits
end

-- Ends an attempt that failed; the job is tried again after a delay.
--@ exports: delay retry
--@ needs: ttl flow queue delayed
--@ include: status life batch arguments history wake clock

-- Moves the job to `delayed`; a new earliest due time wakes one worker, which sets its alarm by it.
local function delay(job, delay_ms, ...)
  local due = time + delay_ms
  leave_processing(job.id)
  move(job.key, 'processing', 'delayed', ...)
  redis.call('ZADD', delayed, due, job.id)
  local life = tonumber(ttl)
  refresh(flow, job.key, job.lookups, life > 0 and string.format('%d', life + delay_ms) or '0')
  if redis.call('ZRANGE', delayed, 0, 0)[1] == job.id then wake(queue) end
end

-- Arguments: the delay in milliseconds, the error as JSON, and its short form for the history.
local function retry(job)
  local delay_ms, why, brief = tonumber(take()), take(), take()
  delay(job, delay_ms, '_error', why,
    '_history', history_with(job, 'retry', ',"error":' .. brief))
end

-- Ends an attempt that failed; the job is tried again after a delay.
--@ exports: delay retry
--@ needs: flow queue delayed
--@ include: status life batch arguments attempt history wake clock member settings

-- Moves the job to `delayed`, with `more` attempts; a new earliest due time wakes one worker, which sets its alarm by it.
local function delay(job, delay_ms, more, ...)
  local due = string.format('%d', time + delay_ms)
  leave_processing(job.id)
  move(job.key, 'processing', 'delayed', '_attempt', attempt_over(job.attempt, job.id, queue, more, 0, due), ...)
  local member = member_of(queue, flow, job.id)
  redis.call('ZADD', delayed, due, member)
  local life = tonumber(ttl)
  refresh(flow, job.key, job.lookups, life > 0 and string.format('%d', life + delay_ms) or '0')
  if redis.call('ZRANGE', delayed, 0, 0)[1] == member then wake(queue) end
end

-- Arguments: the delay in milliseconds, the error as JSON, and its short form for the history.
local function retry(job)
  local delay_ms, why, brief = tonumber(take()), take(), take()
  delay(job, delay_ms, 0, '_error', why,
    '_history', history_with(job, 'retry', ',"error":' .. brief))
end

-- Takes a run back from a worker whose lease is over; one with which workers died too often while isolated is poison. Where
-- something is to be undone then, the run goes back to its queue for that.
--@ exports: rescue
--@ needs: flow queue
--@ include: keys status ending child_result history cancel attempt life settings place leave count failing

local function poison(id, key, job, crashes, attempts)
  local why = failure('Poison', 'its worker died ' .. crashes .. ' times while it ran nothing but this job', queue, attempts)
  local marks = redis.call('HMGET', key, '_undo', '_failing')
  if marks[1] and not marks[2] then
    begin_failing(flow, id, key, queue, 'processing', failed_failure(why))
  else
    end_job(flow, id, key, queue, 'processing', 'failed', job[4], nil, failed_result(id, why), '_error', why)
  end
end

-- Returns the word. From `isolated_from` rescues on a run is isolated, so each further rescue is its own crash.
local function rescue(id)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_attempt', '_lookups', '_cancel', '_history')
  leave(queue, { id })
  if job.err then
    count(queue, 'malformed')
    return 'malformed'
  end
  if job[1] ~= 'processing' or job[2] ~= queue then
    if redis.call('EXISTS', key) == 1 then return 'misplaced' end
    count(queue, 'expired')
    return 'expired'
  end
  if job[5] then
    local _, word = cancel(flow, id, key, queue, 'processing', job[4], nil, job[5])
    return word or 'cancelled'
  end
  local attempts, _, rescues = counts(job[3])
  local crashes = rescues - tonumber(isolated_from) + 1
  if crashes >= tonumber(max_crashes) then
    poison(id, key, job, crashes, attempts)
    return 'poison'
  end
  move(key, 'processing', 'waiting', '_attempt', attempt_over(job[3], id, queue, 0, 1),
    '_history', history_with({ attempt = job[3], history = job[6] }, 'rescue'))
  put_first(queue, { id })
  count(queue, 'rescue')
  trim_lookups(flow, job[4])
  return 'rescued'
end

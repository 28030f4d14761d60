-- Takes a job back from a worker whose lease is over; a job with which workers died too often while isolated is poison.
--@ exports: rescue
--@ needs: flow queue
--@ include: attend keys status ending child_result history cancel attempt life settings place leave count

-- Returns the word. From `isolated_from` rescues on a job is isolated, so each further rescue is its own crash.
local function rescue(member)
  local id = attend(member)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_attempt', '_lookups', '_parent', '_cancel', '_history',
    '_building')
  leave(queue, { member })
  if job.err then
    settle_missing(flow, id, 'deleted')
    count(queue, 'malformed')
    return 'malformed'
  end
  if job[1] ~= 'processing' or job[2] ~= queue then
    if redis.call('EXISTS', key) == 1 then return 'misplaced' end
    settle_missing(flow, id, 'expired')
    count(queue, 'expired')
    return 'expired'
  end
  if job[6] then
    cancel(flow, id, key, queue, 'processing', job[4], job[5], job[6])
    return 'cancelled'
  end
  local attempts, _, rescues = counts(job[3])
  local crashes = rescues - tonumber(isolated_from) + 1
  if crashes >= tonumber(max_crashes) then
    local why = failure('Poison', 'its worker died ' .. crashes .. ' times while it ran nothing but this job',
      queue, attempts)
    if job[8] then end_built(flow .. ':' .. id, queue, kept_failed) end
    end_job(flow, id, key, queue, 'processing', 'failed', job[4], job[5], failed_result(id, why), '_error', why)
    return 'poison'
  end
  move(key, 'processing', 'waiting', '_attempt', attempt_over(job[3], id, queue, 0, 1),
    '_history', history_with({ attempt = job[3], history = job[7] }, 'rescue'))
  put_first(queue, { member })
  count(queue, 'rescue')
  trim_lookups(flow, job[4])
  return 'rescued'
end

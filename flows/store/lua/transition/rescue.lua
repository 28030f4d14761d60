-- Takes a job back from a worker whose lease is over; one that died alone with it too often is poison.
--@ include: keys status ending fragment wake history cancel

-- Returns the word. From `alone_from` rescues on a job is handed out alone, so each further rescue is its own crash.
local function rescue(id)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_rescues', '_attempts', '_lookups', '_parent', '_cancel',
    '_worker', '_history')
  redis.call('ZREM', processing, id)
  if job.err then
    settle_missing(flow, id, 'deleted')
    return 'malformed'
  end
  if not job[1] and redis.call('EXISTS', key) == 0 then
    settle_missing(flow, id, 'expired')
    return 'expired'
  end
  if job[1] ~= 'processing' or job[2] ~= queue then return 'elsewhere' end
  if job[7] then
    cancel(flow, id, key, 'processing', job[5], job[6], job[7])
    return 'cancelled'
  end
  local rescues, attempts = tonumber(job[3]) or 0, tonumber(job[4]) or 1
  local crashes = rescues - tonumber(alone_from) + 1
  if crashes >= tonumber(max_crashes) then
    local why = failure('Poison', 'its worker died ' .. crashes .. ' times while it ran nothing but this job',
      queue, attempts)
    end_job(flow, id, key, 'processing', 'failed', job[5], job[6], failed_fragment(id, why), '_error', why)
    return 'poison'
  end
  move(key, 'processing', 'waiting', '_rescues', rescues + 1,
    '_history', history_with(job[9], attempts, job[8] or '', 'rescue'))
  redis.call('LPUSH', waiting, id)
  trim_lookups(flow, job[5])
  return 'rescued'
end

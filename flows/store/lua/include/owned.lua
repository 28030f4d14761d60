-- The guard of every write on behalf of an attempt: its token, worker and fence, has to be the job's own.
--@ include: keys

-- Returns the job's kernel fields, or nil and the word for the caller.
local function owned(flow, queue, id, worker, fence)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_fence', '_worker', '_attempts', '_visit',
    '_lookups', '_parent', '_rescues', '_cancel', '_history')
  if job.err then return nil, 'malformed' end
  if not job[3] and redis.call('EXISTS', key) == 0 then return nil, 'gone' end
  if job[1] ~= 'processing' or job[2] ~= queue or job[3] ~= fence or job[4] ~= worker then
    return nil, 'stale'
  end
  return {
    key = key, id = id, attempts = tonumber(job[5]) or 1, visit = tonumber(job[6]) or 0, lookups = job[7],
    parent = job[8], rescues = job[9], cancel = job[10], history = job[11],
  }
end

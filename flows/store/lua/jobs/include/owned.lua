-- Guards every write on behalf of an attempt: its token, fence and worker, has to be the job's own.
--@ exports: owned
--@ needs: flow worker_id
--@ include: keys attend

-- The beginning of `_attempt` for a fence of this worker; most fences are alike.
local tokens = {}

-- Returns the job's kernel fields, or nil and the word for the caller; then the job's id.
local function owned(member, job_fence)
  local job_id = attend(member)
  local key = job_key(flow, job_id)
  local job = redis.pcall('HMGET', key, '_status', '_attempt', '_cancel', '_lookups', '_parent', '_history', '_building')
  if job.err then return nil, 'malformed', job_id end
  local token = tokens[job_fence]
  if not token then
    token = job_fence .. ' ' .. worker_id .. ' '
    tokens[job_fence] = token
  end
  if job[1] ~= 'processing' or string.find(job[2] or '', token, 1, true) ~= 1 then
    return nil, redis.call('EXISTS', key) == 0 and 'gone' or 'stale', job_id
  end
  return {
    key = key, id = job_id, attempt = job[2], cancel = job[3], lookups = job[4], parent = job[5], history = job[6],
    building = job[7],
  }, nil, job_id
end

-- Adds a line to a job's log for who is none of its attempts, whatever state the job is in.
--@ keys: call
--@ args: now ns root flow id most_lines new_line
--@ returns: word
--@ words: ok | gone | malformed
--@ include: keys once type log_lines told

local function add()
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_lookups', '_status')
  if job.err then return { 'malformed' } end
  if redis.call('EXISTS', key) == 0 then return { 'gone' } end
  local log = flows_key('log', flow .. ':' .. id)
  expect('list', log)
  write_lines(log, 0, { 0, new_line })
  keep_log({ id = id, key = key, lookups = job[1] }, log)
  told_of(key, job[2] or 'waiting')
  tell()
  return { 'ok' }
end

return once(add)[1]

-- Gives a waiting job to a worker: raises its fence and reads the fields that the worker's class declares.
--@ include: keys life status ending fragment
--@ include: expire

-- Returns a count as a number, 0 where there is none yet, and nothing where it is no whole number.
local function whole(text)
  if not text then return 0 end
  local number = tonumber(text)
  return number and number % 1 == 0 and number < 1e15 and number
end

-- A job that was rescued so often may be what kills its workers: nothing shall run beside it.
local ALONE_FROM = tonumber(alone_from)
local function is_alone(rescues) return rescues >= ALONE_FROM end

-- Returns the word, and with 'claimed' the job as the worker gets it.
local function claim(id, fields, alone_only)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_fence', '_attempts', '_visit', '_rescues',
    '_lookups', '_correlation_id', '_parent', unpack(fields))
  if job.err then
    settle_missing(flow, id, 'deleted')
    return 'malformed'
  end
  -- One that was never claimed waits in the list that it was created in, whatever queue is the first by now.
  local status = EDGES[job[1] or 'waiting'] and (job[1] or 'waiting')
  if status and (status ~= 'waiting' or (job[2] or (job[1] and '' or queue)) ~= queue) then return 'elsewhere' end
  local fence, attempts, visit, rescues = whole(job[3]), whole(job[4]), whole(job[5]), whole(job[6])
  if not (status and fence and attempts and visit and rescues) then
    local why = failure('MalformedJob', 'a field of the kernel does not hold what it should', queue, 0)
    end_job(flow, id, key, 'waiting', 'failed', job[7], job[9], failed_fragment(id, why),
      '_queue', queue, '_error', why)
    return 'malformed'
  end
  if is_alone(rescues) and alone_only then return 'alone' end
  local there = refresh(flow, key, job[7], ttl) or job[1] or redis.call('EXISTS', key) == 1
  if not there then return expire(id) end
  fence = fence + 1
  move(key, 'waiting', 'processing', '_queue', queue, '_fence', fence, '_attempts', attempts + 1, '_worker', worker)
  local bytes = 0
  for i = 10, #job do bytes = bytes + #(job[i] or '') end
  return 'claimed', { id, fence, attempts + 1, visit, job[8], rescues, unpack(job, 10) }, bytes
end

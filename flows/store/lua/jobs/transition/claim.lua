-- Gives a waiting job to a worker: raises its fence and reads the fields that the job class declares.
--@ exports: is_isolated claim refuse
--@ needs: flow queue worker_id
--@ include: attend keys clock held life moved status ending child_result attempt expire server_history settings ruled

local COMMA = 44

-- Returns whether a job is isolated: one that was rescued so often may be what kills its workers.
local ISOLATED_FROM = tonumber(isolated_from)
local function is_isolated(rescues) return rescues >= ISOLATED_FROM end

-- What follows the fence in `_attempt` after the first claim of a job.
local FIRST = ' ' .. worker_id .. ' 1 0 0 ' .. now_text .. ' +'

-- Returns the word, and with 'claimed' the job as the worker gets it, by how it stands in the queue. The rules of a queue
-- may say another word.
local function claim(member, fields, beside_others)
  local id = attend(member)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_attempt', '_lookups', '_correlation_id', unpack(fields))
  if job.err then return refuse(id, key, job, true) end
  -- A job that was never claimed waits in the list that it was created in, whatever queue is the first by now.
  local status = job[1] or 'waiting'
  local known = status == 'waiting' or is_state(status)
  if known and (status ~= 'waiting' or (job[2] or (job[1] and '' or queue)) ~= queue) then return 'misplaced' end
  local fence, _, attempts, visit, rescues, since, path = read_attempt(job[3])
  if not (known and fence) then return refuse(id, key, job, true) end
  local hindered = ruled and ruled.unfit(member, key, job)
  if hindered then return hindered end
  if beside_others and is_isolated(tonumber(rescues)) then return 'isolated' end
  local bytes = 0
  for i = 6, #job do bytes = bytes + #(job[i] or '') end
  local begins = string.byte(path, -1) == COMMA
  if not (begins and held_ttl == ttl and moved_lately(since)) then
    local there = refresh(flow, key, job[4], held_ttl) or bytes > 0 or redis.call('EXISTS', key) == 1
    if not there then return refuse(id, key, job, false) end
  end
  local waited = job[3] and math.max(0, time - since) or waited_since_birth(id, time)
  local given = { member, least_fence(), 1, 0, 0, waited, unpack(job, 5) }
  local token
  if job[3] then
    given[2], given[3] = math.max(fence + 1, given[2]), attempts + 1
    given[4], given[5] = tonumber(visit), tonumber(rescues)
    token = text_of(given[2]) .. ' ' .. worker_id .. ' ' .. text_of(given[3]) .. ' ' .. visit .. ' ' .. rescues .. ' '
      .. now_text .. ' ' .. (begins and path .. queue .. '=' .. text_of(waited) or path_of_claim(path, queue, waited))
  else
    token = text_of(given[2]) .. FIRST
  end
  move(key, 'waiting', 'processing', '_queue', queue, '_attempt', token)
  return 'claimed', given, bytes
end

--@ lazy

-- Drops an id whose job is gone or whose key holds something else, or fails a job whose hash was edited into nonsense.
-- Returns the word.
local function refuse(id, key, job, there)
  if not there then return expire(id) end
  if job.err then
    settle_missing(flow, id, 'deleted')
    return 'malformed'
  end
  local why = failure('MalformedJob', 'a field of the kernel does not hold what it should', queue, 0)
  end_job(flow, id, key, queue, 'waiting', 'failed', job[4], redis.call('HGET', key, '_parent'), failed_result(id, why),
    '_queue', queue, '_error', why)
  return 'malformed'
end

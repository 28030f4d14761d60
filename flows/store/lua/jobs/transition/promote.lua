-- Moves delayed jobs that are due back to `waiting`, up to 100 a call; the caller claims next.
--@ exports: promote
--@ needs: flow queue delayed
--@ include: attend keys status clock ending place count

local MOST = 100

local function promote()
  local due = redis.call('ZRANGE', delayed, '-inf', time, 'BYSCORE', 'LIMIT', 0, MOST)
  if #due == 0 then return 0 end
  local ids = {}
  for _, member in ipairs(due) do
    local id = attend(member)
    local key = job_key(flow, id)
    local job = redis.pcall('HMGET', key, '_status', '_queue')
    if job[1] == 'delayed' and job[2] == queue then
      move(key, 'delayed', 'waiting')
      ids[#ids + 1] = member
    elseif job.err then
      settle_missing(flow, id, 'deleted')
      count(queue, 'malformed')
    elseif redis.call('EXISTS', key) == 0 then
      settle_missing(flow, id, 'expired')
      count(queue, 'expired')
    end
  end
  redis.call('ZREM', delayed, unpack(due))
  -- Where more may be due, another worker promotes those.
  if #ids > 0 then put_many(queue, ids, #due < MOST) end
  return #ids
end

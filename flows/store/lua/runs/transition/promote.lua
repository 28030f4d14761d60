-- Moves delayed runs that are due back to `waiting`, up to 50 a call; the caller claims next. Those that have begun stand
-- before all others: fewer are open then.
--@ exports: promote
--@ needs: flow queue delayed
--@ include: keys status clock place count kept_slots

local MOST = 50

local function promote()
  local due = redis.call('ZRANGE', delayed, '-inf', time, 'BYSCORE', 'LIMIT', 0, MOST)
  if #due == 0 then return 0 end
  local fresh, begun = {}, {}
  for _, id in ipairs(due) do
    local key = job_key(flow, id)
    local job = redis.pcall('HMGET', key, '_status', '_queue', '_attempt')
    if job[1] == 'delayed' and job[2] == queue then
      move(key, 'delayed', 'waiting')
      if string.sub(job[3] or '0 ', 1, 2) == '0 ' then fresh[#fresh + 1] = id else table.insert(begun, 1, id) end
    elseif job.err then
      count(queue, 'malformed')
    elseif redis.call('EXISTS', key) == 0 then
      count(queue, 'expired')
    end
  end
  redis.call('ZREM', delayed, unpack(due))
  if #begun > 0 then
    return_with_slots(queue, begun)
    put_first(queue, begun, #due < MOST)
  end
  -- Where more may be due, another worker promotes those.
  if #fresh > 0 then put_many(queue, fresh, #due < MOST) end
  return #fresh + #begun
end

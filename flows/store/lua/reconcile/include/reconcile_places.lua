-- Reconciles what stands in `processing` and `delayed`: leases that end too late, and ids whose jobs are not there.
--@ exports: reconcile_place
--@ include: reconcile_step clock ending keys leave member count remember

-- Takes out an id whose hash names another place; a child that is gone settles with its parent.
local function check_entry(queue, place, member)
  local flow, id = flow_and_id(flow_of(queue), member)
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue')
  if job[1] == place and job[2] == queue then return end
  local word = 'misplaced'
  if job.err or redis.call('EXISTS', key) == 0 then
    settle_missing(flow, id, job.err and 'deleted' or 'expired')
    word = 'gone'
    count(queue, job.err and 'malformed' or 'expired')
  end
  if place == 'processing' then leave(queue, { member }) else redis.call('ZREM', queue_key(queue, place), member) end
  report(queue, id, word)
end

-- Shortens leases that end later than any process sets them: the clock was set back, or somebody wrote them. Workers
-- that hold them renew them; the others are over soon. Returns whether there may be more.
local function cut_leases(queue)
  local key = queue_key(queue, 'processing')
  local late = redis.call('ZRANGE', key, '(' .. time + 2 * longest, '+inf', 'BYSCORE', 'LIMIT', 0, PAGE)
  for _, id in ipairs(late) do
    redis.call('ZADD', key, time + longest, id)
    report(queue, id, 'lease')
  end
  return #late == PAGE
end

local function reconcile_place(queue, place, cursor)
  local more = place == 'processing' and cut_leases(queue)
  local page = redis.call('ZSCAN', queue_key(queue, place), cursor == '' and '0' or cursor, 'COUNT', PAGE)
  for i = 1, #page[2], 2 do try(queue, page[2][i], check_entry, queue, place, page[2][i]) end
  spend(#page[2] / 2 + 1)
  if page[1] ~= '0' then return page[1] end
  return more and '0'
end

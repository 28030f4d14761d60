-- Reconciles what stands in `processing` and `delayed`: leases that end too late, ids whose runs are not there, and steps
-- whose children have ended, or are gone, without the run knowing.
--@ exports: reconcile_place
--@ include: reconcile_step clock keys leave count open_steps settle_step child_result remember

-- So many children of one step are checked at a time; of more, some others each time.
local MOST_CHILDREN = 500
local WAITS = { delayed = true, waiting = true }

-- Returns how a run has ended, as those that wait for it see it; nothing while it is on its way.
local function ending_of(run_id)
  local key = job_key(flow_of(''), run_id)
  local job = redis.pcall('HMGET', key, '_status', 'output', '_error', '_reason')
  if job.err or redis.call('EXISTS', key) == 0 then return '{"id":"' .. run_id .. '","status":"deleted"}' end
  if job[1] == 'done' then return done_result(run_id, job[2] or 'null') end
  if job[1] == 'failed' then return failed_result(run_id, job[3] or failure('MalformedJob', 'its error is gone', '', 0)) end
  if job[1] == 'cancelled' then
    return '{"id":"' .. run_id .. '","status":"cancelled","reason":' .. cjson.encode(job[4] or '') .. '}'
  end
end

-- Settles the children of a step that have ended: each ending does that itself, unless the child's hash was lost.
local function check_step(queue, run_id, key, step)
  local side = key .. ':children:' .. step
  local found = redis.pcall('HLEN', side)
  if type(found) ~= 'number' then return end
  found = redis.call(found > MOST_CHILDREN and 'HRANDFIELD' or 'HGETALL', side,
    unpack(found > MOST_CHILDREN and { MOST_CHILDREN, 'WITHVALUES' } or {}))
  spend(#found / 20)
  for i = 1, #found, 2 do
    local index, child_id = found[i], found[i + 1]
    if string.find(index, '^%d') and string.sub(child_id, 1, 1) ~= '{' then
      spend(0.3)
      local result = ending_of(child_id)
      if result then
        report(queue, child_id, 'settled')
        settle_child(run_id, step, index, child_id, result)
      end
    end
  end
end

-- Takes out an id whose hash names another place.
local function check_entry(queue, place, member)
  local key = job_key(flow_of(queue), member)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_open')
  if job[1] == place and job[2] == queue then
    each_open(job[3], function(step) check_step(queue, member, key, step) end)
    return
  end
  local word = 'misplaced'
  if job.err or redis.call('EXISTS', key) == 0 then
    word = 'gone'
    count(queue, job.err and 'malformed' or 'expired')
  end
  if place == 'processing' then leave(queue, { member }) else redis.call('ZREM', queue_key(queue, place), member) end
  report(queue, member, word)
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

-- Gives back slots that are kept for runs which do not wait any more: one that was moved, or whose hash was lost.
local function check_kept(queue)
  local kept = flows_key('kept', queue)
  local ids = redis.pcall('ZRANDMEMBER', kept, PAGE)
  if not ids[1] then return end
  spend(#ids / 2)
  for _, id in ipairs(ids) do
    local job = redis.pcall('HMGET', job_key(flow_of(queue), id), '_status', '_queue')
    if not WAITS[job[1]] or job[2] ~= queue then
      redis.call('ZREM', kept, id)
      report(queue, id, 'slot')
    end
  end
end

local function reconcile_place(queue, place, cursor)
  if place == 'delayed' and cursor == '' then check_kept(queue) end
  local more = place == 'processing' and cut_leases(queue)
  local page = redis.call('ZSCAN', queue_key(queue, place), cursor == '' and '0' or cursor, 'COUNT', PAGE)
  for i = 1, #page[2], 2 do try(queue, page[2][i], check_entry, queue, place, page[2][i]) end
  spend(#page[2] / 2 + 1)
  if page[1] ~= '0' then return page[1] end
  return more and '0'
end

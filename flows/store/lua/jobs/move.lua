-- Moves a job that no worker has to another queue of its flow, where it waits: a new visit, as if it had just come there.
-- Answers `there` where it is in that queue already, `child` where it is a child's, which stay in their queues;
-- `cancelling` while `cascade` has to cancel children first, `changed` where it is none of those that were asked for any
-- more, and the state of a job that is not moved.
--@ keys: call
--@ args: ns now root flow first id settings states ended_before target
--@ returns: word:word
--@ words: moved | gone | changed | there | child | cancelling | processing | children | done
--@ include: clock attempt status begin_anew take_out member place once keys count told asked

local ENDED = { failed = true, cancelled = true }
local MOVED = { waiting = true, delayed = true, failed = true, cancelled = true }

-- Returns `_attempt` for the new visit; of a job that has not ended, the path says how long it has waited in the old one.
local function after_move(text, status, queue, ended_ms)
  local job_fence, by, attempts, visit, rescues, since, path = read_attempt(text)
  if not job_fence or ENDED[status] then return next_visit(text, id, queue, tonumber(ended_ms)) end
  local waited = text and math.max(0, time - since) or waited_since_birth(id, time)
  if path ~= '-' and is_over(path) then
    path = path .. queue .. '=' .. text_of(waited)
  else
    path = path_of_claim(path, queue, waited)
  end
  local parts = { job_fence, by, attempts, visit, rescues, now_text, path }
  return next_visit(table.concat(parts, ' '), id, queue)
end

local function move_job()
  if flow ~= root then return { 'child' } end
  local key = job_key(flow, id)
  local job = redis.pcall('HMGET', key, '_status', '_queue', '_lookups', '_attempt', '_ended')
  if job.err or redis.call('EXISTS', key) == 0 then return { 'gone' } end
  local status, queue = job[1] or 'waiting', job[2] or first
  if not MOVED[status] then return { status } end
  if not is_asked(status, job[5]) then return { 'changed' } end
  if queue == target then return { 'there' } end
  if redis.pcall('HEXISTS', flows_key('cancelling', root), flow .. ':' .. id) == 1 then return { 'cancelling' } end
  expect_place(queue, status)
  expect_place_of(target)
  if ENDED[status] then
    forget_ended(queue, status, member_of(queue, flow, id)) -- it had left the queue by its end
  else
    take_out(member_of(queue, flow, id), key, status, queue)
    count(queue, 'moved_out')
  end
  move(key, status, 'waiting', '_queue', target, '_attempt', after_move(job[4], status, queue, job[5]))
  count(target, 'moved_in')
  begin_anew(flow, id, key, job[3], target)
  write_counts()
  tell()
  return { 'moved' }
end

return once(move_job)[1]

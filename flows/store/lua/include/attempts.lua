-- Ends the attempts that a worker reports: each a verb, the job's id and fence, and the verb's arguments.
--@ include: owned arguments batch child advance finish fail retry snooze release await_children cancel

local VERBS = {
  advance = advance, finish = finish, fail = fail, retry = retry, snooze = snooze, release = release,
  await_children = await_children,
}
local LAST = { finish = true, fail = true }

local function end_attempt()
  local verb, id, fence = take(), take(), take()
  local after = tonumber(take()) + at
  local job, word = owned(flow, queue, id, worker, fence)
  if not job then
    if word == 'gone' then
      leave_processing(id)
      settle_missing(flow, id, 'expired')
    end
  elseif verb == 'cancel' or (job.cancel and not LAST[verb]) then
    leave_processing(id)
    cancel(id, job.key, 'processing', job.lookups, job.parent, verb == 'cancel' and take() or job.cancel)
    word = 'cancelled'
  else
    VERBS[verb](job)
    word = 'ok'
  end
  at = after
  return word
end

-- The whole of it is checked before the first write: nothing rolls back.
local function check_queues()
  expect('list', waiting)
  expect('zset', processing)
  expect('zset', delayed)
  expect('zset', queue_key(queue, 'children'))
  expect('zset', flows_key('wake', queue))
end

local function check_targets(first_item, items)
  local i = first_item
  for _ = 1, items do
    local verb, n = rest[i], tonumber(rest[i + 3])
    if verb == 'advance' then expect('list', queue_key(rest[i + 4], 'waiting')) end
    if verb == 'await_children' then check_children(rest[i + 1], i + 8 + tonumber(rest[i + 7])) end
    i = i + 4 + n
  end
end

-- Returns a word per attempt.
local function end_attempts(items)
  check_queues()
  check_targets(at, items)
  local words = {}
  for i = 1, items do words[i] = end_attempt() end
  flush_batch()
  return words
end

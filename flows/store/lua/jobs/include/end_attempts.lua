-- Ends the attempts that a worker reports: each a verb, the job's id and fence, and the verb's arguments, counted.
--@ exports: end_attempts
--@ needs: root flow queue processing waiting delayed rest at
--@ include: owned attempt arguments batch advance finish fail retry snooze release await_children cancel ending
--@ include: fragment keys type new_children

local VERBS = {
  advance = advance, finish = finish, fail = fail, retry = retry, snooze = snooze, release = release,
  await_children = await_children,
}
local LAST = { finish = true, fail = true }

-- Returns a sentence where what the verb writes to is not ours: that fails this job, and harms no other of the batch.
local function target_conflict(verb, id)
  if verb == 'advance' then return conflict('list', queue_key(rest[at], 'waiting')) end
  if verb == 'await_children' then return children_conflict(id, at + 4 + tonumber(rest[at + 3])) end
end

local function end_attempt()
  local verb, id, fence, count = rest[at], rest[at + 1], rest[at + 2], rest[at + 3]
  at = at + 4
  local after = at + tonumber(count)
  local job, word = owned(flow, id, fence)
  if not job then
    if word == 'gone' then
      leave_processing(id)
      settle_missing(flow, id, 'expired')
    end
  elseif verb == 'cancel' or (job.cancel and not LAST[verb]) then
    leave_processing(id)
    cancel(flow, id, job.key, 'processing', job.lookups, job.parent, job.cancel or take())
    word = 'cancelled'
  else
    local wrong = target_conflict(verb, id)
    if wrong then fail_with(job, failure('KeyConflict', wrong, queue, (counts(job.attempt)))) else VERBS[verb](job, after) end
    word = 'ok'
  end
  at = after
  return word
end

-- What all attempts write to is checked before the first write: nothing rolls back.
local function check_queues()
  expect('list', waiting)
  expect('zset', processing)
  expect('zset', delayed)
  expect('zset', queue_key(queue, 'children'))
  expect('hash', flows_key('cancelling', root))
end

-- Returns a word per attempt.
local function end_attempts(items)
  check_queues()
  local words = {}
  gather_settled()
  for i = 1, items do words[i] = end_attempt() end
  settle_gathered()
  flush_batch()
  return words
end

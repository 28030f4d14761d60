-- Ends the attempts that a worker reports: each a verb, the job's id and fence, and the verb's arguments, counted.
--@ exports: end_attempts end_otherwise
--@ needs: root flow queue processing delayed rest at ENDING_VERBS
--@ include: <verbs>
--@ include: owned attempt arguments batch ending child_result keys type new_children place leave route count presized

local advanced = 0

-- Most attempts pass their job on, or end it well; all else is seldom.
local function end_attempt()
  local verb, member, fence, more = rest[at], rest[at + 1], rest[at + 2], rest[at + 3]
  at = at + 4
  local after = at + tonumber(more)
  local job, word, id = owned(member, fence)
  if job then
    verb, after = routed(verb, after, job.key)
    if verb == 'finish' and rest[after - 2] ~= '+lookups' then
      finish(job, after)
      word = 'ok'
    elseif verb == 'advance' and not job.cancel and not place_conflict(rest[at]) then
      advance(job, after)
      advanced = advanced + 1
      word = 'ok'
    else
      word = end_otherwise(verb, job, after)
    end
  elseif word == 'gone' then
    if leave(queue, { member }) == 1 then count(queue, 'expired') end
    settle_missing(flow, id, 'expired')
  end
  at = after
  return word
end

-- What all attempts write to is checked before the first write: nothing rolls back.
local function check_queues()
  expect_place_of(queue)
  expect('zset', processing)
  expect('zset', delayed)
  expect('zset', queue_key(queue, 'children'))
  expect('hash', flows_key('cancelling', root))
end

-- Returns a word per attempt.
local function end_attempts(items)
  check_queues()
  local words = presized(items)
  begin_batch(items)
  gather_settled()
  for i = 1, items do words[i] = end_attempt() end
  settle_gathered()
  flush_batch()
  if advanced > 0 then count(queue, 'advance', advanced) end
  return words
end

--@ lazy

-- The transition of each outcome, by its verb.
--@ verbs

-- Returns a sentence where what the verb writes to is not ours: that fails this job, and harms no other of the batch.
local function target_conflict(verb, id)
  if verb == 'advance' then return place_conflict(rest[at]) end
  if verb == 'await_children' then return children_conflict(id, at + 4 + tonumber(rest[at + 3])) end
end

-- Puts a job into the lookup lists that it gets with its end, a line each; what is no list takes nobody.
local function stand_in_more(job, lines)
  local prefix, all = string.sub(job.key, 1, -#job.id - 1), job.lookups or ''
  for line in string.gmatch(lines, '[^\n]+') do
    local is_new = not string.find('\n' .. all .. '\n', '\n' .. line .. '\n', 1, true)
    if is_new and type(redis.pcall('RPUSH', prefix .. line, job.id)) == 'number' then
      all = all .. (all == '' and '' or '\n') .. line
    end
  end
  if all == (job.lookups or '') then return end
  job.lookups = all
  redis.call('HSET', job.key, '_lookups', all)
end

-- Returns the word.
local function end_otherwise(verb, job, after)
  -- What has come to its end is not cancelled any more.
  local ends = string.find(ENDING_VERBS, ' ' .. verb .. ' ', 1, true)
  if verb == 'cancel' or (job.cancel and not ends) then
    leave_processing(job.id)
    local _, word = cancel(flow, job.id, job.key, queue, 'processing', job.lookups, job.parent, job.cancel or take())
    return word or 'cancelled'
  end
  local wrong = target_conflict(verb, job.id)
  if wrong then
    fail_with(job, failure('KeyConflict', wrong, queue, (counts(job.attempt))))
  else
    if rest[after - 2] == '+lookups' then
      after = after - 2
      stand_in_more(job, rest[after + 1])
    end
    VERBS[verb](job, after)
    -- What has ended is counted by its state.
    if not ends then count(queue, verb) end
  end
  return 'ok'
end

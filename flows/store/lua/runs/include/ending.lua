-- Ends runs: sets how long the hash stays, trims lookup lists, notifies those who wait, settles the steps of other runs
-- that wait for it, and closes its own that still wait. Runs have no children by queues: what of the kernel's children is
-- named here does nothing.
--@ exports: end_job end_built gather_settled settle_gathered settle_children settle settle_missing join
--@ exports: child_failed parent_gone
--@ include: clock life status child_result settings count told member settle_step open_steps

-- Returns how many ms the hash stays. `own` is `<done> <failed> <cancelled>` of a workflow that says so itself; a run
-- with a key stays as long as the key is to find it.
local function kept_for(word, own, by_key)
  local done, failed, cancelled = string.match(own or '', '^(%d+) (%d+) (%d+)$')
  local kept = not done and kept_of(word) or word == 'done' and done or word == 'failed' and failed or cancelled
  local ends_ms = tonumber(string.match(by_key or '', '^(%d+)'))
  if ends_ms and ends_ms - time > tonumber(kept) then return string.format('%d', ends_ms - time) end
  return kept
end

-- Moves the run to `word` (done, failed or cancelled) with more fields; `result` is what runs that wait for it see, of
-- one that is done its output.
local function end_job(job_flow, job_id, key, job_queue, from, word, lookups, _, result, ...)
  local marks = redis.call('HMGET', key, '_parents', '_open', '_waits', '_kept', '_key')
  move(key, from, word, '_ended', now_text, ...)
  count_ended(job_queue, word, member_of(job_queue, job_flow, job_id))
  local kept = kept_for(word, marks[4], marks[5])
  redis.call('PEXPIRE', key, kept)
  if lookups then end_lookups(job_flow, job_id, lookups, kept, false) end
  if marks[2] or marks[3] then close_steps(job_id, key, marks[2], marks[3], kept) end
  if marks[1] then
    if word == 'done' then result = done_result(job_id, result or 'null') end
    settle_parents(job_id, marks[1], result)
  end
  tell_ended(job_flow, job_id, word)
end

local function gather_settled() return {} end

local function settle_gathered() end

--@ lazy

local function end_built() end

local function settle_children() end

local function settle() end

-- A run whose hash is gone settles by the reconciler: nothing says any more who waits for it.
local function settle_missing() end

local function join() end

local function child_failed() end

local function parent_gone() end

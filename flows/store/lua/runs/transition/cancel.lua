-- Ends a run as cancelled, from any state in which it has not ended. One that has something to undo goes back to its
-- queue first: the attempt that follows does that, and ends it.
--@ exports: cancel
--@ needs: root
--@ include: keys ending failing kept_slots

-- `from` is the run's state; the caller has taken it out of that state's place. Where children of its steps have not
-- settled, that is recorded: `cascade` cancels them. Returns whether it was recorded, and the word where it is undone first.
local function cancel(job_flow, job_id, key, job_queue, from, lookups, _, why)
  local marks = redis.call('HMGET', key, '_undo', '_failing', '_open')
  local me = job_flow .. ':' .. job_id
  local word
  if marks[1] and not marks[2] then
    word = 'undoing'
    return_with_slot(job_queue, job_id)
    begin_failing(job_flow, job_id, key, job_queue, from, cancelled_failure(why))
  else
    if from ~= 'processing' then give_slot_back(job_queue, job_id) end
    end_job(job_flow, job_id, key, job_queue, from, 'cancelled', lookups, nil,
      '{"id":"' .. job_id .. '","status":"cancelled","reason":' .. cjson.encode(why) .. '}', '_reason', why)
  end
  if not marks[3] then return false, word end
  redis.call('HSET', flows_key('cancelling', root), me, 1)
  return true, word
end

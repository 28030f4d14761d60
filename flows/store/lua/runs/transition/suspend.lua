-- Ends an attempt of a run that awaited: for a time, or for what comes from outside. Where that has come meanwhile, the run
-- awaited at the head of its queue at once. The attempt does not count.
--@ exports: suspend
--@ needs: flow queue
--@ include: retry fail attempt arguments batch status place member clock event_waits child_result kept_slots

local FAR = 366 * 86400000
-- So many fields and values are written at once.
local MOST_FIELDS = 1000

-- Writes all but the last of many fields, and returns these.
local function write_most(key, fields)
  while #fields > MOST_FIELDS do
    redis.call('HSET', key, unpack(fields, 1, MOST_FIELDS))
    fields = { unpack(fields, MOST_FIELDS + 1) }
  end
  return fields
end

-- Arguments: until when in server ms ('' for any time), how often something had come when the attempt last looked, 1
-- where the run keeps its slot, a counted list of waits for events, then fields and values.
local function suspend(job, after)
  local due, seen, keeps, awaited = tonumber(take()), tonumber(take()), take(), take_counted()
  local fields = { take_up_to(after) }
  local wrong = waits_conflict(awaited)
  if wrong then return fail_with(job, failure('KeyConflict', wrong, queue, (counts(job.attempt)))) end
  local come = tonumber(redis.call('HGET', job.key, '_come')) or 0
  local there = look_for_events(job.id, job.key, awaited, fields, come, true)
  fields = write_most(job.key, fields)
  if there > 0 or come ~= seen then
    leave_processing(job.id)
    if keeps == '1' then keep_slot(queue, job.id, now_text) end
    move(job.key, 'processing', 'waiting', '_attempt', attempt_over(job.attempt, job.id, queue, -1, 0), unpack(fields))
    return put_first(queue, { member_of(queue, flow, job.id) })
  end
  if keeps == '1' then keep_slot(queue, job.id, 0) end
  fields[#fields + 1] = '_suspended'
  fields[#fields + 1] = string.match(job.attempt, '^%d+')
  delay(job, math.min(FAR, math.max(0, (due or time + FAR) - time)), -1, unpack(fields))
end

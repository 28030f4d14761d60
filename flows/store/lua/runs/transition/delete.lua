-- Deletes one run: its hash, its place, its lookup entries, and what stands beside it. Runs that wait for it settle; those
-- that it has started are on their own.
--@ exports: delete_job
--@ needs: root
--@ include: take_out cut keys life count told asked open_steps settle_step kept_slots

local function leave_list(job_flow, list, job_id)
  cut(nil, list, { job_id })
  if redis.call('EXISTS', list) == 1 then prune_later(job_flow, list, 0) end
end

-- Returns the word and, where it is deleted, no children: the caller deletes none. With `leave_lookups`, that takes the run
-- out of its lookup lists.
local function delete_job(job_flow, first_queue, job_id, _, leave_lookups)
  local key = job_key(job_flow, job_id)
  if redis.call('TYPE', key).ok ~= 'hash' then return 'gone' end
  local job = redis.call('HMGET', key, '_status', '_queue', '_lookups', '_parents', '_ended', '_open', '_waits')
  local status, job_queue = job[1] or 'waiting', job[2] or first_queue
  if not is_asked(status, job[5]) then return 'changed' end
  expect_place(job_queue, status)
  take_out(job_id, key, status, job_queue)
  if PLACES[status] then give_slot_back(job_queue, job_id) end
  close_steps(job_id, key, job[6], job[7])
  if job[3] then
    each_lookup(job_flow, job[3], function(list, own)
      if own then redis.call('DEL', list) else (leave_lookups or leave_list)(job_flow, list, job_id) end
    end)
  end
  -- While the hash is there: it says whether a limit keeps the run back.
  if job[4] then settle_parents(job_id, job[4], '{"id":"' .. job_id .. '","status":"deleted"}') end
  local me = job_flow .. ':' .. job_id
  redis.call('DEL', key, flows_key('log', me))
  redis.pcall('HDEL', flows_key('cancelling', root), me)
  if PLACES[status] then
    count(job_queue, 'deleted')
  else
    count(job_queue, 'delete_ended')
    forget_ended(job_queue, status, job_id)
  end
  told_of(key, 'deleted', job_queue)
  tell_ended(job_flow, job_id, 'deleted')
  return 'deleted', {}
end

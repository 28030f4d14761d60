-- Sends a run back to its queue whose failure or cancelling has something to be undone first: `_failing` says how it ends
-- then.
--@ exports: begin_failing cancelled_failure failed_failure
--@ include: status attempt place member

--@ lazy

local function cancelled_failure(why) return '{"as":"cancelled","reason":' .. cjson.encode(why) .. '}' end

local function failed_failure(error_json) return '{"as":"failed","error":' .. error_json .. '}' end

-- The caller has taken the run out of the place of its state. What rescues it had do not count against what follows.
local function begin_failing(job_flow, job_id, key, job_queue, from, failing)
  redis.call('HDEL', key, '_cancel')
  local text = redis.call('HGET', key, '_attempt')
  local fields = { '_failing', failing }
  if from == 'processing' and text then
    fields[3], fields[4] = '_attempt', attempt_over(text, job_id, job_queue, -1, -math.huge)
  end
  move(key, from, 'waiting', unpack(fields))
  put_first(job_queue, { member_of(job_queue, job_flow, job_id) })
end

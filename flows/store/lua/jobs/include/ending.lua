-- What every ending of a job does: its time to stay, its lookup lists, those who wait for it, its parent.
--@ include: life status settle

-- How many milliseconds the hash stays, by how the job ended.
local KEPT = { done = kept_done, failed = kept_failed, cancelled = kept_cancelled }

local waited_for = {}

-- Tells those who wait for the job. They listen to a channel of the flow as well, so that a script can see whether there
-- is anybody: nobody hears of most jobs, and to tell nobody takes as long as all else that is told of an ending.
local function tell_ended(flow, id, word)
  if waited_for[flow] == nil then
    local listeners = redis.pcall('PUBSUB', 'NUMSUB', flows_key('ended', flow))
    waited_for[flow] = listeners.err ~= nil or listeners[2] > 0
  end
  -- A hint, in the middle of a script: an account that may not publish must not stop it half way.
  if waited_for[flow] then redis.pcall('PUBLISH', flows_key('ended', flow .. ':' .. id), word) end
end

-- Moves the job to `word` (done, failed or cancelled) with more fields; `fragment` is what its parent sees.
local function end_job(flow, id, key, from, word, lookups, parent, fragment, ...)
  move(key, from, word, '_ended', now_text, ...)
  redis.call('PEXPIRE', key, KEPT[word])
  refresh_lookups(flow, lookups, KEPT[word])
  trim_lookups(flow, lookups)
  tell_ended(flow, id, word)
  if parent then settle(flow, id, parent, word, fragment) end
end

end_parent = end_job

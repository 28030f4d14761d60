-- What every ending of a job does: its time to stay, its lookup lists, those who wait for it, its parent.
--@ include: life status settle

-- How long the hash stays, by how the job ended; the scripts pass these in milliseconds.
local function kept(word)
  if word == 'done' then return tonumber(kept_done) end
  if word == 'failed' then return tonumber(kept_failed) end
  return tonumber(kept_cancelled)
end

-- Moves the job to `word` (done, failed or cancelled) with more fields; `fragment` is what its parent sees.
local function end_job(flow, id, key, from, word, lookups, parent, fragment, ...)
  move(key, from, word, '_ended', time, ...)
  redis.call('PEXPIRE', key, kept(word))
  refresh_lookups(flow, lookups, kept(word))
  trim_lookups(flow, lookups)
  redis.call('PUBLISH', flows_key('ended', flow .. ':' .. id), word)
  if parent then settle(flow, id, parent, word, fragment) end
end

end_parent = end_job

-- Drops what the logs of endings have kept for long enough, and forgets types of errors that nothing is left of; at the end
-- of each pass of the reconciler. A log ends by itself so long after its last entry.
--@ exports: trim_endings
--@ needs: root rest at
--@ include: outbox_lines keys clock

-- In whole nodes of some 100 entries, and so many entries of a log at once: more go with the next pass.
local MOST = 10000

local function trim(stream)
  return redis.pcall('XTRIM', stream, 'MINID', '~', string.format('%d', time - entries_ms), 'LIMIT', MOST)
end

local function trim_endings()
  if most_entries == 0 then return end
  for _, word in ipairs({ 'done', 'failed', 'cancelled' }) do trim(flows_key('endings', root .. ':' .. word)) end
  for i = at, #rest do
    if string.find(rest[i], ':', 1, true) then trim(flows_key('endings', rest[i] .. ':failed')) end
  end
  local types = flows_key('error_types', root)
  for _, kind in ipairs(redis.call('SMEMBERS', types)) do
    local stream = flows_key('errors', root .. ':' .. kind)
    trim(stream)
    if redis.call('EXISTS', stream) == 0 then redis.call('SREM', types, kind) end
  end
end

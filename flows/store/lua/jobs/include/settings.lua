-- Reads what scripts must know of the flow, which comes as one argument: a new setting is one more word at its end.
--@ exports: ttl kept_done kept_failed kept_cancelled lease max_crashes isolated_from kept_of
--@ needs: settings

local ttl, kept_done, kept_failed, kept_cancelled, lease, max_crashes, isolated_from = string.match(settings,
  '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)')

-- Returns how many milliseconds the hash of a job stays that has ended so.
local function kept_of(word)
  return word == 'done' and kept_done or word == 'failed' and kept_failed or kept_cancelled
end

-- Reads a run that is to be started from the arguments.
--@ exports: take_run
--@ include: arguments clock

-- Arguments: queue, id, its delay in ms or -1 and a time in server ms, for how many ms its key is to find it (0: it has
-- none), the digest of its input, lookups, counted fields and values.
local function take_run()
  local run = { queue = take(), id = take() }
  local delay_ms, until_ms, key_ms, digest = tonumber(take()), tonumber(take()), tonumber(take()), take()
  run.due = delay_ms < 0 and until_ms or time + delay_ms
  run.key = key_ms > 0 and string.format('%d ', time + key_ms) .. digest or ''
  run.lookups, run.fields = take(), take_counted()
  return run
end

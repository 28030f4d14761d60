-- Reads what scripts must know of the flow, which comes as one argument: a new setting is one more word at its end.
--@ exports: ttl kept_done kept_failed kept_cancelled lease max_crashes isolated_from
--@ needs: settings

local ttl, kept_done, kept_failed, kept_cancelled, lease, max_crashes, isolated_from = string.match(settings,
  '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)')

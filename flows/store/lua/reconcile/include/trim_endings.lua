-- Drops what logs of endings have kept for long enough. Most flows have none; the overlay `outbox` has its own.
--@ exports: trim_endings

local function trim_endings() end

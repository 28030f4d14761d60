-- Says where a job goes when its attempt has ended: where its worker says. The overlay `shared` has its own, for queues
-- of several flows.
--@ exports: routed

-- Returns the verb, and where its arguments end.
local function routed(verb, after) return verb, after end

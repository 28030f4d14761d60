-- Says whether a job waits that needs no free slot.
--@ exports: needs_no_slot

-- Returns whether one waits that has kept its own: jobs of flows keep none.
local function needs_no_slot() return false end

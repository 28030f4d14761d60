-- Turns to the next job of a script: all of them are of one flow. The overlay `shared` has its own, for queues of
-- several flows.
--@ exports: attend

-- Returns the id of what stands in a place.
local function attend(member) return member end

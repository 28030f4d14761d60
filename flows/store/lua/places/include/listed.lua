-- Says how long the lists of a queue's ended jobs live: as long as those jobs. The overlay `shared` has its own, for
-- queues of several flows.
--@ exports: listed_for
--@ include: settings

-- Returns how many milliseconds the list of jobs lives that have ended so in a queue.
local function listed_for(_, word) return kept_of(word) end

-- What there is to reconcile of a queue beside its places: nothing, where no queue of the flow has rules.
--@ exports: extra_places reconcile_extra

-- Returns the names of further parts of a queue's pass, which `reconcile_extra` walks through, before the part `jobs` or
-- after that.
local function extra_places() return {} end

local function reconcile_extra() end

-- What there is to reconcile of the list of a job that waits: nothing, where a queue has one list.
--@ exports: check_group stands_elsewhere

-- Sees to it that the list is one that is looked into.
local function check_group() end

-- Returns whether a job that does not stand in its list may stand in another one.
local function stands_elsewhere() return false end

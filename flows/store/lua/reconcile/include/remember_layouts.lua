-- Keeps the layouts of queues: there are none, where no queue of the flow has rules.
--@ exports: remember_layouts

local function remember_layouts() end

-- Runs do not stand in `children`: what they wait for is checked with `delayed` and `processing`.
--@ exports: reconcile_parents

local function reconcile_parents() end

-- The jobs that go on with a slot which they have kept: jobs of flows keep none.
--@ exports: resumed

local function nothing() end

local resumed = { next = nothing, forget = nothing }

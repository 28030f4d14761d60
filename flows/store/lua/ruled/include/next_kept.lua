-- Names the jobs that go on with a slot which they have kept: jobs of flows keep none.
--@ exports: next_kept forget_kept

local function next_kept() end

local function forget_kept() end

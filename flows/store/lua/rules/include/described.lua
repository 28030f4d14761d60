-- Under which name the flow's settings say what rules a queue has: its own.
--@ exports: described_as

local function described_as(job_queue) return job_queue end

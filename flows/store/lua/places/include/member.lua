-- Names jobs where they stand in a queue: by their ids. The overlay `shared` has its own, for queues of several flows.
--@ exports: member_of flow_and_id take_times

local function member_of(_, _, job_id) return job_id end

-- Returns flow and id of what stands in a queue, where jobs of `job_flow` stand by their ids.
local function flow_and_id(job_flow, member) return job_flow, member end

-- Lets the times be those of the flow whose job comes next.
local function take_times() end

-- Turns to the next job of a script, which may be of another flow than the one before: what follows is done with the
-- job's own flow and times.
--@ exports: attend
--@ needs: flow
--@ include: member

local home = flow

-- Returns the id of what stands in a place.
local function attend(member)
  local job_id
  flow, job_id = flow_and_id(home, member)
  take_times(flow)
  return job_id
end

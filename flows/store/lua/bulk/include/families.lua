-- Lets the children among many jobs settle with their parents together, and says how much work that is.
--@ exports: CHILD_WORK gather_families settle_families
--@ include: ending each_job

-- Of a child that is named for the caller.
local CHILD_WORK = 50
-- Of a parent that may go on, with the results of up to 500 children.
local PARENT_WORK = 50000

local parents

local function gather_families() parents = gather_settled() end

local function settle_families()
  work_on(#parents * PARENT_WORK)
  settle_gathered()
  gather_families()
end

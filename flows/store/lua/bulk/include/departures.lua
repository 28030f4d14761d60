-- Gathers the jobs that leave waiting lists and lookup lists, and takes all of them out of each list together.
--@ exports: depart leave_lookup take_departed
--@ include: life remove cut

local departed, lookups = {}, {}

local function gather(by_list, name, job_id)
  local ids = by_list[name] or {}
  by_list[name] = ids
  ids[#ids + 1] = job_id
  return ids
end

-- Takes a job out of the waiting list of its queue later.
local function depart(job_queue, member) gather(departed, job_queue, member) end

-- Takes a job out of a lookup list later.
local function leave_lookup(job_flow, list, job_id) gather(lookups, list, job_id).flow = job_flow end

local function take_departed()
  for job_queue, ids in pairs(departed) do remove_many(job_queue, ids) end
  for list, ids in pairs(lookups) do
    cut(nil, list, ids)
    if redis.call('EXISTS', list) == 1 then prune_later(ids.flow, list, 0) end
  end
  departed, lookups = {}, {}
end

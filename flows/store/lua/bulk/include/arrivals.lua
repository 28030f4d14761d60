-- Gathers the jobs that come to queues, and puts all of them there at once.
--@ exports: arrive put_arrived
--@ include: place

local arrived = {}

local function arrive(job_queue, member)
  local ids = arrived[job_queue] or {}
  arrived[job_queue] = ids
  ids[#ids + 1] = member
end

local function put_arrived()
  for job_queue, ids in pairs(arrived) do put_many(job_queue, ids) end
  arrived = {}
end

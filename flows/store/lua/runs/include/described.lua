-- Under which name the settings of the flow of runs say what rules a queue has: an override's queue and a version's,
-- `<workflow>@…`, have those of the workflow's own.
--@ exports: described_as
--@ args: settings

local function described_as(job_queue)
  if string.find(settings, '\n' .. job_queue .. ' ', 1, true) then return job_queue end
  return string.match(job_queue, '^([^@]+)@') or job_queue
end

-- Ends a job as failed, with the error.
--@ exports: fail_with fail
--@ needs: flow queue
--@ include: ending child_result batch arguments settings

local function fail_with(job, why)
  leave_processing(job.id)
  if job.building then end_built(flow .. ':' .. job.id, queue, kept_failed) end
  end_job(flow, job.id, job.key, queue, 'processing', 'failed', job.lookups, job.parent,
    failed_result(job.id, why), '_error', why)
end

-- Argument: the error, JSON.
local function fail(job) fail_with(job, take()) end

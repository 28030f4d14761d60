-- Ends a job as failed, with the error.
--@ include: owned ending fragment batch arguments

-- Argument: the error, JSON.
local function fail(job)
  local why = take()
  leave_processing(job.id)
  end_job(flow, job.id, job.key, 'processing', 'failed', job.lookups, job.parent,
    job.parent and failed_fragment(job.id, why), '_error', why)
end

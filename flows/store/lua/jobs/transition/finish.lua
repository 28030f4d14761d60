-- Ends a job as done, with what the function returned.
--@ exports: finish
--@ needs: flow queue
--@ include: ending child_result batch arguments settings

-- Arguments: the result as one JSON object (for a parent), then fields and values.
local function finish(job, after)
  local result = take()
  leave_processing(job.id)
  if job.building then end_built(flow .. ':' .. job.id, queue, kept_done) end
  end_job(flow, job.id, job.key, queue, 'processing', 'done', job.lookups, job.parent,
    job.parent and done_result(job.id, result), take_up_to(after))
end

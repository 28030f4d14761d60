-- Ends a run as done, with its output.
--@ exports: finish
--@ needs: flow queue rest at
--@ include: ending batch arguments

-- Arguments: '', then fields and values, the output first.
local function finish(job, after)
  take()
  local output = rest[at + 1]
  leave_processing(job.id)
  end_job(flow, job.id, job.key, queue, 'processing', 'done', job.lookups, nil, output, take_up_to(after))
end

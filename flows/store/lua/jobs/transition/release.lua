-- Releases a job to the head of its queue without using up an attempt: its worker stops, or cannot start it soon.
--@ exports: release
--@ needs: flow queue
--@ include: status attempt batch history place member

local function release(job)
  leave_processing(job.id)
  move(job.key, 'processing', 'waiting', '_attempt', attempt_over(job.attempt, job.id, queue, -1, 0),
    '_history', history_with(job, 'release'))
  put_first(queue, { member_of(queue, flow, job.id) })
end

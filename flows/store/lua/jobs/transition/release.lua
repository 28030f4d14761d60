-- Releases a job to the head of its queue without using up an attempt: its worker stops, or cannot start it soon.
--@ exports: release
--@ needs: queue
--@ include: keys status attempt batch history wake

local function release(job)
  leave_processing(job.id)
  move(job.key, 'processing', 'waiting', '_attempt', one_less(job.attempt),
    '_history', history_with(job, 'release'))
  redis.call('LPUSH', queue_key(queue, 'waiting'), job.id)
  wake(queue)
end

-- Retries a job that failed or was cancelled: a new visit to the queue where it ended.
-- Answers `cancelling` while `cascade` has to cancel children first, `changed` where it is none of those that were
-- asked for any more, and the state of a job that is not retried.
--@ keys: call
--@ args: ns now root flow first id settings states ended_before
--@ returns: word:word
--@ words: retried | gone | changed | cancelling | waiting | delayed | processing | children | done
--@ include: retry_job place once count told

return once(function()
  local word, queue, member = retry_job(flow, first, id)
  if queue then put(queue, member) end
  write_counts()
  tell()
  return { word }
end)[1]

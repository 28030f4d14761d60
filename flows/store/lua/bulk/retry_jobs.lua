-- Retries many jobs, each as `retry_job` retries one.
-- Answers a word for each, names that stay empty, and what the errors say.
--@ keys: call
--@ args: ns now root flow first settings states ended_before
--@ rest: the ids
--@ returns: words:list<word> names:list<text> errors:list<text>
--@ words: retried | gone | changed | cancelling | waiting | delayed | processing | children | done | later | error
--@ include: retry_job each_job arrivals

return each_job(function(id)
  local word, queue, member = retry_job(flow, first, id)
  if queue then arrive(queue, member) end
  return word
end, put_arrived)

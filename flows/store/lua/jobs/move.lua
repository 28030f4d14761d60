-- Moves a job that no worker has to another queue of its flow, where it waits: a new visit, as if it had just come there.
-- Answers `there` where it is in that queue already, `child` where it is a child's, which stay in their queues;
-- `cancelling` while `cascade` has to cancel children first, `changed` where it is none of those that were asked for any
-- more, and the state of a job that is not moved.
--@ keys: call
--@ args: ns now root flow first id settings states ended_before target
--@ returns: word:word
--@ words: moved | gone | changed | there | child | cancelling | processing | children | done
--@ include: move place once count told

return once(function()
  local word, queue, member = move_job(flow, first, id)
  if queue then put(queue, member) end
  write_counts()
  tell()
  return { word }
end)[1]

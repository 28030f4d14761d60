-- Moves many jobs to another queue, each as `move` moves one.
-- Answers a word for each, names that stay empty, and what the errors say.
--@ keys: call
--@ args: ns now root flow first settings states ended_before target
--@ rest: the ids
--@ returns: words:list<word> names:list<text> errors:list<text>
--@ words: moved | gone | changed | there | child | cancelling | processing | children | done | later | error
--@ include: move each_job arrivals departures

local function flush()
  take_departed()
  put_arrived()
end

return each_job(function(id)
  local word, queue, member = move_job(flow, first, id, depart)
  if queue then arrive(queue, member) end
  return word
end, flush)

-- Deletes many jobs, each as `delete` deletes one.
-- Answers a word for each, the job keys of their children, and what the errors say.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now root flow first settings states ended_before
--@ rest: the ids
--@ returns: words:list<word> names:list<text> errors:list<text>
--@ words: deleted | gone | changed | later | error
--@ include: delete remove each_job departures families

local function flush()
  take_departed()
  settle_families()
end

local set_aside = not READS_HASHES and depart or nil

gather_families()
return each_job(function(id)
  local word, children = delete_job(flow, first, id, set_aside, leave_lookup)
  if children then work_on(#children * CHILD_WORK) end
  return word, children
end, flush)

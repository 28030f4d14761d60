-- Deletes one job: its hash, its place, its lookup entries; for a parent that waits for it, it settles.
-- Answers the job keys of its children, for the caller to delete.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now root flow first id settings states ended_before
--@ returns: word:word children:list<text>
--@ words: deleted | gone | changed
--@ include: delete once count told

return once(function()
  local word, children = delete_job(flow, first, id)
  write_counts()
  tell()
  return { word, children or {} }
end)

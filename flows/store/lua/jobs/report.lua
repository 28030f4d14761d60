-- Ends attempts and claims nothing: what a worker sends while it stops, or while the server is full.
-- Answers a word per attempt.
--@ flags: allow-oom
--@ keys: processing delayed
--@ args: ns now root flow queue worker_id settings ended
--@ rest: the attempts that have ended
--@ returns: words:list<word>
--@ words: ok | cancelled | undoing | stale | gone | malformed
--@ include: end_attempts count told

local words = end_attempts(tonumber(ended))
write_counts()
tell()
return words

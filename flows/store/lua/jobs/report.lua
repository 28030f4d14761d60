-- Ends attempts and claims nothing: what a worker sends while it stops, or while the server is full.
-- Answers a word per attempt.
--@ flags: allow-oom
--@ keys: waiting processing delayed
--@ args: ns now root flow queue worker_id ttl kept_done kept_failed kept_cancelled ended
--@ rest: the attempts that have ended
--@ returns: words:list<word>
--@ words: ok | cancelled | stale | gone | malformed
--@ include: end_attempts

return end_attempts(tonumber(ended))

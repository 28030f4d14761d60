-- Ends attempts and claims nothing: what a worker sends while it stops, or while the server is full.
--@ flags: allow-oom
--@ keys: waiting processing delayed
--@ args: ns now root flow queue worker ttl kept_done kept_failed kept_cancelled ended
--@ rest: the attempts that have ended
--@ returns: a word per attempt
--@ include: end_attempts

return end_attempts(tonumber(ended))

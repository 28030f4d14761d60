-- Records for the processes that reconcile what only the caller knows: its lease, where it creates jobs, the layouts of
-- its queues.
--@ flags: allow-oom
--@ keys: reconcile
--@ args: ns now first settings
--@ returns: answer:word
--@ words: ok
--@ include: type remember remember_layouts

expect('hash', reconcile)
remember()
remember_layouts()
return 'ok'

-- Records for the processes that reconcile what only the caller knows: its lease, where it creates jobs, the layouts of
-- its queues.
--@ flags: allow-oom
--@ keys: reconcile
--@ args: ns now root first settings
--@ rest: the names of all queues of the flow
--@ returns: answer:word
--@ words: ok
--@ include: type remember reconcile_layouts

expect('hash', reconcile)
remember()
remember_layouts()
return 'ok'

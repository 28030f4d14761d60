-- Asks a process for its stacks: its next heartbeat finds that, where it looks anyway.
--@ keys: process
--@ args: ns now
--@ returns: answer:word at:int
--@ words: asked | gone
--@ include: clock

local text = redis.pcall('GET', process)
local head, rest = string.match(type(text) == 'string' and text or '', '^({"at":%d+,"n":%d+,)(.*)$')
if not head then return { 'gone', time } end
if string.sub(rest, 1, 8) ~= '"ask":1,' then redis.call('SET', process, head .. '"ask":1,' .. rest, 'KEEPTTL') end
return { 'asked', time }

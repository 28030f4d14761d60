-- Tells the stacks that a process was asked for, for a minute.
--@ keys: dump
--@ args: ns now text
--@ returns: answer:word
--@ words: told
--@ include: clock

redis.call('SET', dump, '{"at":' .. now_text .. ',' .. string.sub(text, 2), 'PX', '60000')
return 'told'

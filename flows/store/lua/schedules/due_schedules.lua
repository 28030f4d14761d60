-- Reads which schedules are due, the oldest slot first, and when the next one is.
-- Answers the server's time, the milliseconds until then, -1 where there is none, and of each that is due its id, its
-- slot and its hash.
--@ args: ns now most
--@ returns: now:int left:int due:list<[id:text slot:text fields:list<text>]>
--@ include: clock keys type

local schedules = ns .. 'flows:schedules'
expect('zset', schedules)
local found = redis.call('ZRANGE', schedules, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, tonumber(most), 'WITHSCORES')
local due = {}
for i = 1, #found, 2 do
  local fields = redis.pcall('HGETALL', flows_key('schedule', found[i]))
  due[#due + 1] = { found[i], found[i + 1], fields.err and {} or fields }
end
local later = redis.call('ZRANGE', schedules, '(' .. now_text, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
return { time, later[2] and tonumber(later[2]) - time or -1, due }

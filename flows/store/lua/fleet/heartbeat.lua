-- One heartbeat: what a process says of itself, until when that counts, and what its queues have seen since the last.
-- Sent again it changes nothing: what stands there has its number. With `leaves` the process is listed no more.
-- A key that holds another type is left alone. Answers `asked` where somebody has asked for the process's stacks since.
--@ keys: processes process declarations
--@ args: ns now process_name number digest counts_ms kept totals leaves
--@ rest: what it says as a JSON object, then of each queue: its name, whether it is served (1 or 0), two histograms
--@ flags: allow-oom
--@ returns: answer:word
--@ words: beat | asked | again | undeclared | left
--@ include: clock keys type stats

local function note(key, serves)
  if conflict('zset', key) then return end
  if serves then
    redis.call('ZADD', key, string.format('%d', time + counts_ms), process_name)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%d', time - kept))
  else
    redis.call('ZREM', key, process_name)
  end
end

local going = leaves == '1'
local old = redis.pcall('GET', process)
local last = type(old) == 'string' and tonumber(string.match(old, '^{"at":%d+,"n":(%d+),')) or -1
if not going and last >= tonumber(number) then return 'again' end
note(processes, not going)
for i = at + 1, #rest, 4 do
  note(flows_key('workers', rest[i]), not going and rest[i + 1] == '1')
  if last < tonumber(number) then add_statistics(rest[i], rest[i + 2], rest[i + 3]) end
end
if going then
  redis.call('DEL', process)
  return 'left'
end
local text = '{"at":' .. now_text .. ',"n":' .. number .. ',' .. string.sub(rest[at], 2)
redis.call('SET', process, text, 'PX', string.format('%d', kept + counts_ms))
local word = type(old) == 'string' and string.find(old, '^{"at":%d+,"n":%d+,"ask":1,') and 'asked' or 'beat'
if conflict('hash', declarations) then return word end
if redis.call('HEXISTS', declarations, digest) == 0 then return 'undeclared' end
redis.call('HSET', declarations, digest .. ':seen', now_text)
return word

-- Adds lines to the log of a task, which has the last ones, each with its number. Sent twice, it is done once.
--@ keys: instance log call
--@ args: ns now instance_id path most_lines
--@ rest: the lines: JSON objects, without number and time
--@ returns: word:word
--@ words: ok | gone
--@ include: clock type once tell_tree

expect('hash', instance)
expect('hash', log)

local function write_lines()
  local last, most = tonumber(redis.call('HGET', log, path)) or 0, tonumber(most_lines)
  local lines, old = {}, {}
  for i = at, #rest do
    last = last + 1
    lines[#lines + 1] = string.format('%s %d', path, last)
    lines[#lines + 1] = string.format('{"n":%d,"at":%s,', last, now_text) .. string.sub(rest[i], 2)
    if last > most then old[#old + 1] = string.format('%s %d', path, last - most) end
  end
  redis.call('HSET', log, path, last, unpack(lines))
  if #old > 0 then redis.call('HDEL', log, unpack(old)) end
  local left = redis.call('PTTL', instance)
  if left > 0 then redis.call('PEXPIRE', log, left) end
end

local answer = once(function()
  if redis.call('EXISTS', instance) == 0 then return { 'gone' } end
  write_lines()
  tell_tree(instance_id, '')
  return { 'ok' }
end)
return answer[1]

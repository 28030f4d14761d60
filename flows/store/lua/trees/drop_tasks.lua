-- Drops results and logs of tasks that a tree has no more, as long as that tree stands: its records are gone already.
-- Answers how many of the paths are done: after many lines of logs it stops.
--@ flags: allow-oom
--@ keys: instance results log
--@ args: ns if_changed
--@ rest: the paths, up to 1,000
--@ returns: dropped:int
--@ include: type

local MOST_LINES, LINES_LEFT = 1000, 5000

expect('hash', instance)
expect('hash', results)
expect('hash', log)

local function drop_log(path, last)
  local lines = { path }
  for n = math.max(1, last - MOST_LINES + 1), last do lines[#lines + 1] = string.format('%s %d', path, n) end
  redis.call('HDEL', log, unpack(lines))
  LINES_LEFT = LINES_LEFT - #lines
end

local paths = #rest - at + 1
if redis.call('HGET', instance, 'changed') ~= if_changed then return paths end
for i, last in ipairs(redis.call('HMGET', log, unpack(rest, at))) do
  if last then drop_log(rest[at + i - 1], tonumber(last)) end
  if LINES_LEFT <= 0 then
    paths = i
    break
  end
end
redis.call('HDEL', results, unpack(rest, at, at + paths - 1))
return paths

-- Drops what is kept of tasks that a tree has no more. Of long logs some lines may stay: nothing names them, and a task
-- of the same path writes over them.
--@ exports: drop_paths
--@ needs: tasks results log

local MOST_AT_ONCE, MOST_LINES, LINES_LEFT = 1000, 1000, 10000

local function drop_lines(path)
  local last = tonumber(redis.call('HGET', log, path))
  if not last then return end
  local lines = { path }
  for n = math.max(1, last - MOST_LINES + 1), last do
    if LINES_LEFT == 0 then break end
    LINES_LEFT = LINES_LEFT - 1
    lines[#lines + 1] = string.format('%s %d', path, n)
  end
  redis.call('HDEL', log, unpack(lines))
end

local function drop_paths(list, from)
  if from > #list then return end
  if redis.call('EXISTS', log) == 1 then
    for i = from, #list do drop_lines(list[i]) end
  end
  for i = from, #list, MOST_AT_ONCE do
    local last = math.min(i + MOST_AT_ONCE - 1, #list)
    redis.call('HDEL', tasks, unpack(list, i, last))
    redis.call('HDEL', results, unpack(list, i, last))
  end
end

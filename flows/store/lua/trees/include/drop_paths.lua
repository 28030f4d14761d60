-- Drops what is kept of tasks that a tree has no more. Of long logs some lines may stay: nothing names them, and a task
-- of the same path writes over them.
--@ exports: drop_paths
--@ needs: tasks results log

local MOST_AT_ONCE, MOST_LINES, LINES_LEFT = 1000, 1000, 2000

local function drop_lines(path, last)
  local first = math.max(1, last - MOST_LINES + 1, last - LINES_LEFT + 1)
  LINES_LEFT = LINES_LEFT - (last - first + 1)
  local lines = {}
  for n = first, last do lines[#lines + 1] = string.format('%s %d', path, n) end
  if #lines > 0 then redis.call('HDEL', log, unpack(lines)) end
end

-- Drops the paths from `list[from]` on.
local function drop_paths(list, from)
  local has_log = from <= #list and redis.call('EXISTS', log) == 1
  for i = from, #list, MOST_AT_ONCE do
    local last = math.min(i + MOST_AT_ONCE - 1, #list)
    redis.call('HDEL', tasks, unpack(list, i, last))
    redis.call('HDEL', results, unpack(list, i, last))
    if has_log then
      for n, count in ipairs(redis.call('HMGET', log, unpack(list, i, last))) do
        if count then drop_lines(list[i + n - 1], tonumber(count)) end
      end
      redis.call('HDEL', log, unpack(list, i, last))
    end
  end
end

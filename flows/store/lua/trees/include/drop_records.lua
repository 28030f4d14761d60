-- Drops the records of tasks that a tree has no more; `drop_tasks` drops what else they have.
--@ exports: drop_records
--@ needs: tasks

local MOST_AT_ONCE = 1000

-- Drops those of the paths from `list[from]` on.
local function drop_records(list, from)
  for i = from, #list, MOST_AT_ONCE do
    redis.call('HDEL', tasks, unpack(list, i, math.min(i + MOST_AT_ONCE - 1, #list)))
  end
end

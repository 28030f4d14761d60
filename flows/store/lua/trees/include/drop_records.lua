-- Drops the records of tasks that a tree has no more; `drop_tasks` drops what else they have.
--@ exports: drop_records
--@ include: keys

local MOST_AT_ONCE = 1000

-- Drops those of the paths from `list[from]` to `list[to]`.
local function drop_records(id, list, from, to)
  for i = from, to, MOST_AT_ONCE do
    redis.call('HDEL', flows_key('treetasks', id), unpack(list, i, math.min(i + MOST_AT_ONCE - 1, to)))
  end
end

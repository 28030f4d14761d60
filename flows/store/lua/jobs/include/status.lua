-- The only writer of `_status`: it refuses every move that is not in EDGES, the table of model/state.py.

local function move(key, from, to, ...)
  if not EDGES[from][to] then
    error('no move from ' .. tostring(from) .. ' to ' .. tostring(to) .. ': ' .. key)
  end
  redis.call('HSET', key, '_status', to, ...)
end

-- Keeps, of a flow's declarations, those that were seen last. What was edited into nonsense counts as never seen.
--@ exports: keep_newest

local function keep_newest(key, count)
  local found, seen = {}, {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.match(field, '^%x+$') then found[#found + 1] = field end
  end
  for _, name in ipairs(found) do seen[name] = tonumber(redis.call('HGET', key, name .. ':seen')) or 0 end
  table.sort(found, function(a, b) return seen[a] > seen[b] end)
  for i = count + 1, #found do redis.call('HDEL', key, found[i], found[i] .. ':seen') end
end

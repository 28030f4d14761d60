-- Keeps, of a flow's declarations, those that were seen last. What was edited into nonsense counts as never seen.
--@ exports: keep_newest

local function keep_newest(key, count)
  local fields, found = redis.call('HGETALL', key), {}
  local seen = {}
  for i = 1, #fields, 2 do
    local of = string.match(fields[i], '^(%x+):seen$')
    if of then
      seen[of] = tonumber(fields[i + 1]) or 0
    elseif string.match(fields[i], '^%x+$') then
      found[#found + 1] = fields[i]
    end
  end
  table.sort(found, function(a, b) return (seen[a] or 0) > (seen[b] or 0) end)
  for i = count + 1, #found do redis.call('HDEL', key, found[i], found[i] .. ':seen') end
end

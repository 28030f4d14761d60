-- Records what a process of an app declares, of the flow of runs, and that it was seen; drops what the app's earlier
-- releases have declared and nobody has seen for a while, but for what a deploy script has written last.
-- Without the text it answers whether that is known, so that few processes have to send it.
--@ keys: declarations
--@ args: ns now app digest most alive_ms written
--@ rest: the declaration as JSON, or nothing
--@ returns: answer:word
--@ words: known | wanted | written | conflict
--@ include: clock type

if conflict('hash', declarations) then return 'conflict' end
local seen, noted = digest .. ':seen', app .. ':written'
local known = redis.call('HEXISTS', declarations, digest) == 1
if not known and not rest[at] then return 'wanted' end
redis.call('HSET', declarations, seen, now_text)
if not known then redis.call('HSET', declarations, digest, rest[at]) end
if written == '1' then redis.call('HSET', declarations, noted, digest) end

local kept, begins = redis.call('HGET', declarations, noted), app .. ':'
local others, times = {}, {}
for _, name in ipairs(redis.call('HKEYS', declarations)) do
  local rest_of_name = string.sub(name, #begins + 1)
  if string.sub(name, 1, #begins) == begins and string.match(rest_of_name, '^%x+$') and name ~= digest then
    others[#others + 1] = name
    times[name] = tonumber(redis.call('HGET', declarations, name .. ':seen')) or 0
  end
end
table.sort(others, function(a, b) return times[a] > times[b] end)
local left = 1
for _, name in ipairs(others) do
  local stays = name == kept or (time - times[name] < tonumber(alive_ms) and left < tonumber(most))
  if stays then
    left = left + 1
  else
    redis.call('HDEL', declarations, name, name .. ':seen')
  end
end
return known and 'known' or 'written'

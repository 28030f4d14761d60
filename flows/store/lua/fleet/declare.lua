-- Records what a process of a flow declares, and that it was seen; of a flow, the declarations seen last are kept.
-- Without the text it answers whether that is known, so that few processes have to send it.
--@ keys: declarations
--@ args: ns now digest most
--@ rest: the declaration as JSON, or nothing
--@ returns: answer:word
--@ words: known | wanted | written | conflict
--@ include: clock type newest_declarations

if conflict('hash', declarations) then return 'conflict' end
local seen = digest .. ':seen'
if redis.call('HEXISTS', declarations, digest) == 1 then
  redis.call('HSET', declarations, seen, now_text)
  return 'known'
end
if not rest[at] then return 'wanted' end
redis.call('HSET', declarations, digest, rest[at], seen, now_text)
keep_newest(declarations, tonumber(most))
return 'written'

-- Takes instances out of the index. Answers how many were in it.
--@ flags: allow-oom
--@ keys: rows
--@ args: ns
--@ rest: their ids
--@ returns: taken:int
--@ include: arguments keys type

expect('hash', rows)
local taken = 0
while at <= #rest do
  local id = take()
  local app, realm = string.match(redis.call('HGET', rows, id) or '', '^%d+\n([^\n]*)\n([^\n]*)\n')
  if app then
    taken = taken + 1
    redis.call('HDEL', rows, id)
    redis.pcall('ZREM', flows_key('trees', app), id)
    redis.pcall('ZREM', flows_key('trees', app .. ':' .. realm), id)
    redis.pcall('ZREM', flows_key('treesworking', app), id)
  end
end
return taken

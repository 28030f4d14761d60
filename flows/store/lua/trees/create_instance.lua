-- Creates instances of trees at revision 1, each once: by its id, and by its idempotency key as long as the instance that
-- has it is there. Answers of each `there` and the id of the one that is there now, or a sentence that names what stands
-- in the place of a key, and nothing of it is written.
--@ keys: apps
--@ args: ns now
--@ rest: of each its id, app, the name of its idempotency key or '', and its fields and values, counted
--@ returns: answers:list<[word:word about:text]>
--@ words: there | conflict
--@ include: arguments clock keys type outbox_of

-- Returns the instance that has an idempotency key.
local function holder_of(held)
  local holder = redis.call('GET', flows_key('treekey', held))
  return holder and redis.call('EXISTS', flows_key('tree', holder)) == 1 and holder
end

local function create(id, app, held, fields)
  local key, outbox, has_key = flows_key('tree', id), outbox_key(app), held ~= ''
  local wrong = conflict('hash', key) or conflict('hash', apps) or conflict('zset', outbox)
    or (has_key and conflict('string', flows_key('treekey', held)))
  if wrong then return { 'conflict', wrong } end
  local holder = has_key and holder_of(held)
  if holder then return { 'there', holder } end
  if redis.call('EXISTS', key) == 0 then
    redis.call('HSET', key, '_order', 1, 'changed', 1, 'shown', 1, 'created', now_text, 'updated', now_text,
      unpack(fields))
    if has_key then redis.call('SET', flows_key('treekey', held), id) end
    redis.call('HSETNX', apps, app, now_text)
    redis.call('ZADD', outbox, now_text, id)
  end
  return { 'there', id }
end

local answers = {}
while at <= #rest do answers[#answers + 1] = create(take(), take(), take(), take_counted()) end
return answers

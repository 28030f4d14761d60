-- Knows the keys of an instance, which live and go together: its own, and that of the idempotency key that it has.
--@ exports: expect_hashes each_key
--@ needs: instance tasks results log instance_id
--@ include: keys type

local function expect_hashes()
  expect('hash', instance)
  expect('hash', tasks)
  expect('hash', results)
  expect('hash', log)
end

-- Calls `fn` with each of them; `key` is the instance's field of this name.
local function each_key(key, fn)
  fn(instance)
  fn(tasks)
  fn(results)
  fn(log)
  if not key then return end
  local holder = flows_key('treekey', key)
  if redis.pcall('GET', holder) == instance_id then fn(holder) end
end

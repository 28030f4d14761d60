-- Knows the keys of an instance, which live and go together: its own, and that of the idempotency key that it has.
--@ exports: expect_hashes each_part
--@ include: keys type

local KINDS = { 'tree', 'treetasks', 'treeresults', 'treelog' }

local function expect_hashes(id)
  for _, kind in ipairs(KINDS) do expect('hash', flows_key(kind, id)) end
end

-- Calls `fn` with each of them; `held` is the instance's field `key`.
local function each_part(id, held, fn)
  for _, kind in ipairs(KINDS) do fn(flows_key(kind, id)) end
  if not held then return end
  local holder = flows_key('treekey', held)
  if redis.pcall('GET', holder) == id then fn(holder) end
end

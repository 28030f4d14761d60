-- Checks, before anything is written, that our keys hold what they should.

local checked = {}

-- Stops the script when `key` holds something else: nothing rolls back, so this comes before any write.
local function expect(kind, key)
  if checked[key] then return end
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    error({ err = 'FLOWSCONFLICT ' .. key .. ' holds a ' .. found .. ' where flows keeps a ' .. kind })
  end
  checked[key] = true
end

-- Checks, before anything is written, that our keys hold what they should.

local checked = {}

-- Returns a sentence that names `key` where it holds something else.
local function conflict(kind, key)
  local found = redis.call('TYPE', key).ok
  if found == kind or found == 'none' then return nil end
  return key .. ' holds a ' .. found .. ' where flows keeps a ' .. kind
end

-- Stops the script when `key` holds something else: nothing rolls back, so this comes before any write.
local function expect(kind, key)
  if checked[key] then return end
  local wrong = conflict(kind, key)
  if wrong then error({ err = 'FLOWSCONFLICT ' .. wrong }) end
  checked[key] = true
end

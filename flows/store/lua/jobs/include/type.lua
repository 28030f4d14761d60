-- Checks, before anything is written, that our keys hold the right types; each key once a script.
--@ exports: conflict expect

local checked = {}

-- Returns a sentence that names `key` where it holds another type.
local function conflict(kind, key)
  if checked[key] then return nil end
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    return key .. ' holds a ' .. found .. ' where flows keeps a ' .. kind
  end
  checked[key] = true
end

-- Stops the script where `key` holds another type: nothing rolls back, so this comes before any write.
local function expect(kind, key)
  local wrong = conflict(kind, key)
  if wrong then error({ err = 'FLOWSCONFLICT ' .. wrong }) end
end

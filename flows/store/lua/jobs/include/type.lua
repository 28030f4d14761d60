-- Checks, before anything is written, that our keys hold what they should; each key once, as it has one type only.
--@ exports: conflict expect

local checked = {}

-- Returns a sentence that names `key` where it holds something else.
local function conflict(kind, key)
  if checked[key] then return nil end
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    return key .. ' holds a ' .. found .. ' where flows keeps a ' .. kind
  end
  checked[key] = true
end

-- Stops the script when `key` holds something else: nothing rolls back, so this comes before any write.
local function expect(kind, key)
  local wrong = conflict(kind, key)
  if wrong then error({ err = 'FLOWSCONFLICT ' .. wrong }) end
end

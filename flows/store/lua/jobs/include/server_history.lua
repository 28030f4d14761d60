-- Reads what `greet` has found out about the server's history.
--@ exports: least_fence just_began
--@ needs: ns
--@ include: clock settings

local HISTORY = ns .. 'flows:history'

-- Returns the least fence that may be given; other systems may know larger ones of an earlier history.
local least
local function least_fence()
  least = least or tonumber(redis.pcall('HGET', HISTORY, 'epoch')) or 1
  return least
end

-- Returns whether this history is younger than half a lease: workers that live have to find the server first.
local function just_began()
  local since = tonumber(redis.pcall('HGET', HISTORY, 'since'))
  return since ~= nil and since <= time and time < since + lease / 2
end

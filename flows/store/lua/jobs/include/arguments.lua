-- Reads the arguments that follow the named ones, one after another; `rest` is their table and `at` the next index.
--@ exports: take take_list take_up_to take_counted
--@ needs: rest at

local function take()
  at = at + 1
  return rest[at - 1]
end

-- Returns the next n arguments as a table.
local function take_list(n)
  local list = {}
  for i = 1, n do list[i] = rest[at + i - 1] end
  at = at + n
  return list
end

-- Takes and returns the arguments before the n-th.
local function take_up_to(n)
  local from = at
  at = n
  return unpack(rest, from, n - 1)
end

-- Returns a list that is preceded by its length.
local function take_counted() return take_list(tonumber(take())) end

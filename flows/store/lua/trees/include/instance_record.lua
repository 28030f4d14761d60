-- Reads and numbers records: Lua decides by how they begin, and decodes nothing.
--@ exports: is_working numbered

local function is_working(text) return text and string.find(text, '{"status":"working"', 1, true) == 1 end

-- Puts a revision into a record, behind its status, in place of the one that it may have.
local function numbered(text, order)
  local status, behind = string.match(text, '^({"status":"%a+")(.*)$')
  behind = string.match(behind, '^,"order":%d+(.*)$') or behind
  return status .. string.format(',"order":%d', order) .. behind
end

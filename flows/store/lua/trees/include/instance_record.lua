-- Reads and numbers records: Lua decides by how they begin, and decodes nothing.
--@ exports: is_working numbered

local function is_working(text) return text and string.find(text, '{"status":"working"', 1, true) == 1 end

-- Puts a revision into a record, behind its status.
local function numbered(text, order)
  local _, status_end = string.find(text, '^{"status":"%a+"')
  return string.sub(text, 1, status_end) .. string.format(',"order":%d', order) .. string.sub(text, status_end + 1)
end

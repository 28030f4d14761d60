-- Reads and numbers records: Lua decides by how they begin, and decodes nothing.
--@ exports: is_working numbered

local function is_working(record) return record and string.find(record, '{"status":"working"', 1, true) == 1 end

-- Puts a revision into a record, behind its status.
local function numbered(record, order)
  local _, status_end = string.find(record, '^{"status":"%a+"')
  return string.sub(record, 1, status_end) .. string.format(',"order":%d', order) .. string.sub(record, status_end + 1)
end

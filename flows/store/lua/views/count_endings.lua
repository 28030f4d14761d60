-- Counts the entries of a log of endings by day and by what a copied field says, up to so many; called again from the next
-- entry on, until there is none.
-- Answers the id of the next entry, if there is one, and of each day and value that has entries how many: days from 0 on.
--@ flags: no-writes
--@ keys: log
--@ args: ns borders field from most
--@ returns: next:list<text> counts:list<[day:int value:text number:int]>
--@ include: type

expect('stream', log)

-- When the days begin, and last when the last one ends, in server milliseconds.
local begins = {}
for ms in string.gmatch(borders, '%d+') do begins[#begins + 1] = tonumber(ms) end

local PAGE = 500

local function value_of(fields)
  for i = 1, #fields, 2 do
    if fields[i] == field then return fields[i + 1] end
  end
  return ''
end

local counted, counts, day = {}, {}, 1

local function add(entry)
  local ms = tonumber(string.match(entry[1], '^%d+'))
  while ms >= begins[day + 1] do day = day + 1 end
  local name = day .. ' ' .. value_of(entry[2])
  local found = counted[name]
  if not found then
    found = { day - 1, value_of(entry[2]), 0 }
    counted[name], counts[#counts + 1] = found, found
  end
  found[3] = found[3] + 1
end

local at_id, looked = from ~= '' and from or string.format('%d', begins[1]), 0
local last = string.format('%d', begins[#begins] - 1)
while true do
  local entries = redis.call('XRANGE', log, at_id, last, 'COUNT', PAGE)
  for i = 1, #entries do
    if looked == tonumber(most) then return { { entries[i][1] }, counts } end
    looked = looked + 1
    add(entries[i])
  end
  if #entries < PAGE then return { {}, counts } end
  at_id = '(' .. entries[#entries][1]
end

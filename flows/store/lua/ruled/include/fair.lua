-- What is kept of the queue from one turn to the next, in `flows:fair:<queue>`: virtual times, how many ids stand in
-- groups, and numbers of slots that were set while the queue runs.
--@ exports: fair_number set_fair write_fair
--@ needs: queue
--@ include: rules spots type

local key = fair_of(queue)
expect('hash', key)
local numbers, changed = nil, {}

-- All that a turn may need is read at once.
local function read_fair()
  numbers = {}
  local names = { 'slots', 'slots_per_group', 'slots_per_group:', 'b0' }
  for band = 1, RULES[queue].priorities do
    names[#names + 1], names[#names + 2] = 'v' .. band, 'b' .. band
  end
  for i, text in ipairs(redis.call('HMGET', key, unpack(names))) do numbers[names[i]] = tonumber(text) end
end

-- Returns a number, or nil where none is kept.
local function fair_number(name)
  if not numbers then read_fair() end
  return numbers[name]
end

local function set_fair(name, value)
  numbers[name], changed[name] = value, true
end

local function write_fair()
  local fields = {}
  for name in pairs(changed) do
    fields[#fields + 1], fields[#fields + 2] = name, string.format('%.17g', numbers[name])
  end
  if #fields > 0 then redis.call('HSET', key, unpack(fields)) end
  changed = {}
end

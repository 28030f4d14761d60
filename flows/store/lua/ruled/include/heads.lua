-- Takes ids from the heads of lists: some are read at once, and what was taken is cut off at the end.
--@ exports: heads

-- List -> its first ids, and how many of them were `used`.
local read = {}

local function cut(key)
  local head = read[key]
  read[key] = nil
  if head.used > 0 then redis.call('LTRIM', key, head.used, -1) end
end

-- Returns the first ids of a list, none of them used, or nil where it is empty.
local function read_head(key, many)
  if read[key] then cut(key) end -- something may have come to its end meanwhile
  local ids = redis.pcall('LRANGE', key, 0, many - 1)
  if ids.err or #ids == 0 then return nil end
  ids.used = 0
  read[key] = ids
  return ids
end

-- Returns the next id of a list, or nil where it is empty, or no list; so many will be asked for, as far as is known.
local function take_head(key, many)
  local head = read[key]
  if not (head and head[head.used + 1]) then
    if many == 1 and not head then
      local id = redis.pcall('LPOP', key)
      return type(id) == 'string' and id or nil
    end
    head = read_head(key, many)
    if not head then return nil end
  end
  head.used = head.used + 1
  return head[head.used]
end

-- Puts the id back that was just taken.
local function give_back(key, id)
  local head = read[key]
  if head then head.used = head.used - 1 else redis.call('LPUSH', key, id) end
end

local function cut_all()
  for key in pairs(read) do cut(key) end
end

local heads = { take = take_head, give_back = give_back, cut = cut_all }

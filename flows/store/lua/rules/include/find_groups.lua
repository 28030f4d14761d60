-- Reads jobs that wait in groups of a band: walks through the groups that take part, then through those that are parked,
-- by the cursor of a scan, for they have no order that stays. Jobs of one group come in their order.
--@ exports: page_of
--@ needs: source place_queue at_index at_id at_before most_looked most_found
--@ include: spots

-- So many groups, and so many ids of one, are read at once.
local GROUPS, CHUNK = 20, 100

local band = string.match(source, '/(%d+)$')

-- Returns the groups of the next part of a walk in an order of their own, and the cursor behind it.
local function groups_at(set, scan)
  local key = set == 'ring' and source or parked_of(place_queue)
  local found = redis.pcall('ZSCAN', key, scan, 'COUNT', GROUPS)
  if found.err then return {}, '0' end
  local groups = {}
  for i = 1, #found[2], 2 do
    local group = found[2][i]
    if set ~= 'ring' then
      group = string.match(group, '^' .. band .. '/(.+)$')
      if group and redis.pcall('ZSCORE', source, group) then group = nil end
    end
    if group and group ~= '' then groups[#groups + 1] = group end
  end
  table.sort(groups)
  return groups, found[1]
end

local function ids_of(group, from)
  local ids = redis.pcall('LRANGE', group_list(place_queue, band, group), from, from + CHUNK - 1)
  return ids.err and {} or ids
end

-- Returns the index at which reading a group goes on: behind the last id, wherever it stands by now; where it is gone,
-- some may come again, rather than that one is left out.
local function index_in(group)
  if at_id == '-' or at_id == '' then return 0 end
  local list, index = group_list(place_queue, band, group), tonumber(at_index)
  if redis.pcall('LINDEX', list, index) == at_id then return index + 1 end
  local now_at = redis.pcall('LPOS', list, at_id, 'MAXLEN', 10000)
  return type(now_at) == 'number' and now_at + 1 or 0
end

local function page_of_groups(fitting)
  local set, scan, resumed = string.match(at_before, '^(%a+) (%d+) (.*)$')
  set, scan = set or 'ring', scan or '0'
  local found, looked, most = {}, 0, tonumber(most_looked)
  local function where(group) return set .. ' ' .. scan .. ' ' .. group end
  while true do
    local groups, next_scan = groups_at(set, scan)
    for _, group in ipairs(groups) do
      if not resumed or group >= resumed then
        local index = group == resumed and index_in(group) or 0
        looked = looked + 1
        local ids = ids_of(group, index)
        while #ids > 0 do
          for _, member in ipairs(ids) do
            local fit = fitting(member)
            if fit then found[#found + 1] = { member, index, string.format('%.17g', fit), where(group) } end
            index, looked = index + 1, looked + 1
            if #found >= tonumber(most_found) or looked >= most then
              return { found, looked, { { member, index - 1, '0', where(group) } } }
            end
          end
          ids = ids_of(group, index)
        end
      end
    end
    resumed, scan, looked = nil, next_scan, looked + 1
    if scan == '0' then
      if set ~= 'ring' then return { found, looked, {} } end
      set = 'parked'
    end
    if looked >= most then return { found, looked, { { '-', 0, '0', where('') } } } end
  end
end

local function page_of(kind, page, fitting)
  if kind == 'groups' then return page_of_groups(fitting) end
  return page()
end

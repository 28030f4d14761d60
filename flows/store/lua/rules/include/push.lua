-- Pushes ids into the lists of a ruled queue: counts those of groups, and lets their groups take part in the ring.
--@ exports: joins put_in_band put_at
--@ include: spots

-- How often groups have joined a ring in this script.
local joins = 0

-- Lets groups of a band take part whose lists were empty; those that are parked come back when their time has come. One
-- that took part lately keeps its virtual time, and 0 is the present one.
local function join_ring(job_queue, band, groups)
  local names, members = {}, {}
  for i, group in ipairs(groups) do names[i] = band .. '/' .. group end
  local scores = redis.call('ZMSCORE', parked_of(job_queue), unpack(names))
  for i, group in ipairs(groups) do
    if not scores[i] then
      members[#members + 1] = 0
      members[#members + 1] = group
    end
  end
  if #members > 0 then redis.call('ZADD', ring_of(job_queue, band), 'NX', unpack(members)) end
end

-- Pushes ids into the list of a group; returns whether it was empty, and nil where it is no list.
local function push(command, job_queue, band, group, ids)
  local length = redis.pcall(command, group_list(job_queue, band, group), unpack(ids))
  if type(length) ~= 'number' then return nil end
  return length == #ids
end

-- Puts ids into the lists of one band, a list of ids for each group ('': of none), at the end or with `at_head` there.
local function put_in_band(job_queue, band, by_group, at_head)
  local command = at_head and 'LPUSH' or 'RPUSH'
  local grouped, begun = 0, {}
  for group, ids in pairs(by_group) do
    local was_empty = nil
    if group ~= '' then was_empty = push(command, job_queue, band, group, ids) end
    if was_empty == nil then
      redis.call(command, band_list(job_queue, band), unpack(ids))
    else
      grouped = grouped + #ids
      if was_empty then begun[#begun + 1] = group end
    end
  end
  if grouped > 0 then redis.call('HINCRBY', fair_of(job_queue), 'n' .. band, grouped) end
  if #begun == 0 then return end
  joins = joins + 1
  join_ring(job_queue, band, begun)
end

-- Puts ids into the list of a band, or of a group in it.
local function put_at(job_queue, band, group, ids, at_head)
  put_in_band(job_queue, band, { [group] = ids }, at_head)
end

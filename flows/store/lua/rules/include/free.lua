-- Frees the slots of jobs that leave `processing`, by whatever script: what they hold is taken from the loads, groups
-- that wait for a slot take part again, and those who can start a job now are woken. A key that holds something else is
-- left as it is: what ends a job must not stop for it.
--@ exports: give_slots_back
--@ include: keys rules freed spots type many_fields

-- Lets those of some groups take part again that wait for a slot.
local function unpark(job_queue, groups)
  local parked = flows_key('parked', job_queue)
  if conflict('zset', parked) or redis.call('ZCARD', parked) == 0 then return end
  for band = 1, RULES[job_queue].priorities do
    local names = {}
    for i, group in ipairs(groups) do names[i] = band .. '/' .. group end
    for i, score in ipairs(redis.call('ZMSCORE', parked, unpack(names))) do
      if score == 'inf' then
        redis.call('ZADD', ring_of(job_queue, band), 'NX', 0, groups[i])
        redis.call('ZREM', parked, names[i])
      end
    end
  end
end

-- Returns how many slots a job holds, and its group.
local function read_held(text)
  if string.sub(text, 1, 2) == '1 ' then return 1, string.sub(text, 3) end -- as of most
  local cost, group = string.match(text, '^(%d+) (.*)$')
  return tonumber(cost) or 0, group or text
end

-- Takes what these jobs held from the loads. Returns the groups that held some.
local function lower_loads(job_queue, ids)
  local slots, load_key = flows_key('slots', job_queue), flows_key('load', job_queue)
  if conflict('hash', slots) or conflict('hash', load_key) or redis.call('HLEN', slots) == 0 then return {} end
  local freed, groups, beyond = {}, {}, 0
  local held = redis.call('HMGET', slots, unpack(ids))
  for i = 1, #ids do
    if held[i] then
      local cost, group = read_held(held[i])
      beyond = beyond + cost - 1
      if group ~= '' then
        if not freed[group] then
          groups[#groups + 1] = group
          freed[group] = 0
        end
        freed[group] = freed[group] + cost
      end
    end
  end
  redis.call('HDEL', slots, unpack(ids))
  if beyond > 0 and redis.call('HINCRBY', load_key, '', -beyond) <= 0 then redis.call('HDEL', load_key, '') end
  if #groups == 0 then return groups end
  local set, empty = {}, {}
  local loads = redis.call('HMGET', load_key, unpack(groups))
  for i = 1, #groups do
    local left = (loads[i] and tonumber(loads[i]) or 0) - freed[groups[i]]
    if left > 0 then
      set[#set + 1], set[#set + 2] = groups[i], left
    else
      empty[#empty + 1] = groups[i]
    end
  end
  if #set > 0 then set_fields(load_key, set) end
  if #empty > 0 then redis.call('HDEL', load_key, unpack(empty)) end
  return groups
end

-- Frees what these jobs hold, of which `left` stood in `processing`.
local function give_slots_back(job_queue, ids, left)
  local rule = RULES[job_queue]
  if not rule or (rule.slots <= 0 and rule.per_group <= 0) then return end
  local groups = lower_loads(job_queue, ids)
  if #groups > 0 then unpark(job_queue, groups) end
  if left > 0 or #groups > 0 then slots_freed(job_queue) end
end

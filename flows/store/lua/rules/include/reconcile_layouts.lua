-- Keeps the layouts of queues: processes that declare one say so again and again, and one that nobody has declared for
-- a while is set back when the lists that only it has are empty.
--@ exports: remember_layouts reconcile_layout
--@ args: layouts
--@ include: reconcile_step clock keys spots

-- How often a process says that it declares a layout, and after which silence nobody does any more, in ms.
local OFTEN, SILENCE = 60000, 600000

local declared_layouts = {}
for job_queue, layout in string.gmatch(layouts, '(%S+) (%d+ %S+)') do declared_layouts[job_queue] = layout end

local function parts_of(layout)
  local bands, group = string.match(layout or '', '^(%d+) (%S+)$')
  return tonumber(bands) or 1, group or '-'
end

-- Returns whether one layout has all lists of another.
local function covers(one, other)
  local bands, group = parts_of(one)
  local others, field = parts_of(other)
  return bands >= others and (field == '-' or group == field)
end

local function wider(one, other)
  local bands, group = parts_of(one)
  local others, field = parts_of(other)
  return math.max(bands, others) .. ' ' .. (group ~= '-' and group or field)
end

-- Says of each queue whose layout this process declares that it still does.
local function remember_layouts()
  for job_queue, layout in pairs(declared_layouts) do
    local meta = queue_key(job_queue, 'meta')
    local found = redis.pcall('HMGET', meta, 'rules', 'rules_seen')
    if not found.err then
      if not covers(found[1], layout) then
        redis.call('HSET', meta, 'rules', wider(layout, found[1]), 'rules_seen', now_text)
      elseif covers(layout, found[1]) and (tonumber(found[2]) or 0) < time - OFTEN then
        redis.call('HSET', meta, 'rules_seen', now_text)
      end
    end
  end
end

-- Returns whether nothing waits in the lists that a layout has beyond another one.
local function is_empty_beyond(job_queue, layout, kept)
  local bands, group = parts_of(layout)
  local kept_bands, kept_group = parts_of(kept)
  for band = 1, bands do
    if band > kept_bands and redis.call('EXISTS', band_list(job_queue, band)) == 1 then return false end
    local groups_go = group ~= '-' and (kept_group ~= group or band > kept_bands)
    if groups_go and (tonumber(redis.pcall('HGET', fair_of(job_queue), 'n' .. band)) or 0) > 0 then return false end
    if groups_go and redis.call('EXISTS', ring_of(job_queue, band)) == 1 then
      for _, name in ipairs(redis.call('ZRANGE', ring_of(job_queue, band), 0, PAGE)) do
        if name ~= '' and redis.call('EXISTS', group_list(job_queue, band, name)) == 1 then return false end
      end
    end
  end
  return true
end

local function reconcile_layout(job_queue)
  local meta, layout = queue_key(job_queue, 'meta'), declared_layouts[job_queue]
  local found = redis.pcall('HMGET', meta, 'rules', 'rules_seen')
  spend(1)
  if found.err or not found[1] or covers(layout or '', found[1]) then return nil end
  if (tonumber(found[2]) or 0) > time - SILENCE then return nil end
  if not found[2] then return redis.call('HSET', meta, 'rules_seen', now_text) and nil end
  if not is_empty_beyond(job_queue, found[1], layout) then return nil end
  redis.call('HDEL', meta, 'rules', 'rules_seen')
  if layout then redis.call('HSET', meta, 'rules', layout) end
end

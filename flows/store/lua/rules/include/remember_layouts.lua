-- Processes say again and again which layouts they declare.
--@ exports: remember_layouts declared_layouts layout_parts layout_covers
--@ args: layouts
--@ include: clock keys

-- How often a process says that it declares a layout, in ms.
local OFTEN = 60000

local declared_layouts = {}
for job_queue, layout in string.gmatch(layouts, '(%S+) (%d+ %S+)') do declared_layouts[job_queue] = layout end

local function layout_parts(layout)
  local bands, group = string.match(layout or '', '^(%d+) (%S+)$')
  return tonumber(bands) or 1, group or '-'
end

-- Returns whether one layout has all lists of another.
local function layout_covers(one, other)
  local bands, group = layout_parts(one)
  local others, field = layout_parts(other)
  return bands >= others and (field == '-' or group == field)
end

local function wider(one, other)
  local bands, group = layout_parts(one)
  local others, field = layout_parts(other)
  return math.max(bands, others) .. ' ' .. (group ~= '-' and group or field)
end

-- Says of each queue whose layout this process declares that it still does.
local function remember_layouts()
  for job_queue, layout in pairs(declared_layouts) do
    local meta = queue_key(job_queue, 'meta')
    local found = redis.pcall('HMGET', meta, 'rules', 'rules_seen')
    if not found.err then
      if not layout_covers(found[1], layout) then
        redis.call('HSET', meta, 'rules', wider(layout, found[1]), 'rules_seen', now_text)
      elseif layout_covers(layout, found[1]) and (tonumber(found[2]) or 0) < time - OFTEN then
        redis.call('HSET', meta, 'rules_seen', now_text)
      end
    end
  end
end

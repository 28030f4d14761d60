-- A layout that nobody has declared for a while is set back when the lists that only it has are empty.
--@ exports: reconcile_layout
--@ include: remember_layouts reconcile_step clock keys spots

-- After which silence nobody declares a layout any more, in ms.
local SILENCE = 600000

-- Returns whether nothing waits in the lists that a layout has beyond another one.
local function is_empty_beyond(job_queue, layout, kept)
  local bands, group = layout_parts(layout)
  local kept_bands, kept_group = layout_parts(kept)
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
  if found.err or not found[1] or layout_covers(layout or '', found[1]) then return nil end
  if (tonumber(found[2]) or 0) > time - SILENCE then return nil end
  if not found[2] then return redis.call('HSET', meta, 'rules_seen', now_text) and nil end
  if not is_empty_beyond(job_queue, found[1], layout) then return nil end
  redis.call('HDEL', meta, 'rules', 'rules_seen')
  if layout then redis.call('HSET', meta, 'rules', layout) end
end

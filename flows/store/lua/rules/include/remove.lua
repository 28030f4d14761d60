-- Removes ids from where they wait in a queue, when their jobs are ended or moved from outside: where the queue has
-- rules, each from the list of its own priority and group.
--@ exports: READS_HASHES search_length remove_many
--@ include: cut rules spots

-- Whether the hashes of jobs say where they wait, and so have to stay until the jobs are removed.
local READS_HASHES = true

-- Returns how many ids are searched to remove some, at most: no list is that is longer than SHORT, and who searches
-- several lists in one script has to come to an end with any.
local function search_length(job_queue)
  local rule = RULES[job_queue]
  local n = 0
  for band = 1, rule and rule.priorities or 1 do
    n = n + short_length(band_list(job_queue, band))
    if rule and rule.group then n = n + (tonumber(redis.pcall('HGET', fair_of(job_queue), 'n' .. band)) or 0) end
  end
  return math.min(SHORT, n)
end

-- Cuts ids out of one list, or out of that in which workers that know no rules have put them.
local function cut_spot(job_queue, band, group, ids)
  local plain_list = band_list(job_queue, 1)
  local list = group == '' and band_list(job_queue, band) or group_list(job_queue, band, group)
  local found, searched = cut(job_queue, list, ids)
  if group ~= '' and found > 0 then redis.pcall('HINCRBY', fair_of(job_queue), 'n' .. band, -found) end
  if list == plain_list or not searched or found >= #ids then return end
  if short_length(plain_list) > 0 then cut(job_queue, plain_list, ids) end
end

local function remove_many(job_queue, ids)
  local rule = RULES[job_queue]
  if not rule or rule.flat then
    cut(job_queue, band_list(job_queue, 1), ids)
    return
  end
  local spots = {}
  for _, job_id in ipairs(ids) do
    local band, group = spot_of(job_queue, job_id)
    local name = band .. '/' .. group
    if not spots[name] then spots[name] = { band, group, {} } end
    table.insert(spots[name][3], job_id)
  end
  for _, spot in pairs(spots) do cut_spot(job_queue, unpack(spot)) end
end

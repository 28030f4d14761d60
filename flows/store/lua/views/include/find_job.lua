-- Finds a job by its id alone: among those of the flow, or of one of the child queues that the flow has or has had.
--@ exports: find_job queues_of
--@ needs: root first queues rest at
--@ include: keys waiting

-- Returns the names of all queues of the flow: those that the caller declares, and those that it has had.
local function queues_of()
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  for i = at, #rest do add(rest[i]) end
  for _, name in ipairs(redis.pcall('HKEYS', queues)) do add(name) end
  return names
end

-- Returns the queues in which a job may stand, by its `_queue`: more than one where it was never claimed and the
-- first queue was renamed; the shortest list comes first.
local function places_of(job_flow, job_queue)
  if job_queue then return { job_queue } end
  if job_flow ~= root then return { job_flow } end
  local lists, known = {}, redis.pcall('HGETALL', queues)
  for i = 1, #known, 2 do
    local length = known[i + 1] == 'first' and depth(known[i])
    if length and length > 0 then lists[#lists + 1] = { known[i], length } end
  end
  table.sort(lists, function(a, b) return a[2] < b[2] end)
  for i, list in ipairs(lists) do lists[i] = list[1] end
  return #lists > 0 and lists or { first }
end

-- Returns the flow name of the job, the type of its key, and the queues in which it may stand.
local function find_job(job_id)
  local job_flow, kind = root, redis.call('TYPE', job_key(root, job_id)).ok
  for _, name in ipairs(kind == 'none' and queues_of() or {}) do
    if string.find(name, ':', 1, true) then
      local found = redis.call('TYPE', job_key(name, job_id)).ok
      if found ~= 'none' then
        job_flow, kind = name, found
        break
      end
    end
  end
  if kind ~= 'hash' then return job_flow, kind, {} end
  return job_flow, kind, places_of(job_flow, redis.call('HGET', job_key(job_flow, job_id), '_queue'))
end

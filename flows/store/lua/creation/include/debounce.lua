-- A key under which calls become one job: while it is delayed by them, each gives it new params and puts it off.
--@ exports: debounced due_of_debounce take_back
--@ needs: ns flow queue
--@ include: holder clock

-- So many ids of lookup lists are looked at, from their ends, for those that the job leaves: it came there lately.
local REACH = 50000

--@ lazy

-- Returns the id of the job that the key still delays, when it was first asked for, and its lookups; or nothing. One
-- that was claimed is delayed by something else.
local function debounced(job)
  local id, found = holder(job.lookups, '_status', '_queue', '_attempt', '_debounced', '_lookups')
  local first_ms = id and tonumber(found[4])
  if not first_ms or found[1] ~= 'delayed' or found[2] ~= queue then return nil end
  if not string.find(found[3] or '', '^0 %- 0 0 0 ') then return nil end
  return id, first_ms, found[5] or ''
end

-- Returns when a job is due that waits so long after its last call, and at most so long after its first one; 0: as long
-- as calls come.
local function due_of_debounce(wait_ms, longest_ms, first_ms)
  local due = time + tonumber(wait_ms)
  return longest_ms == '0' and due or math.min(due, first_ms + tonumber(longest_ms))
end

-- Takes the id out of the lists of its old lookups that are none of its new ones. Returns those in which it stays.
local function take_back(id, old, new)
  local stays, leaves = {}, {}
  new = '\n' .. new .. '\n'
  for line in string.gmatch(old, '[^\n]+') do
    local list = ns .. 'job:' .. flow .. ':' .. line
    if string.find(new, '\n' .. line .. '\n', 1, true) then stays[list] = true else leaves[#leaves + 1] = list end
  end
  local reach = math.ceil(REACH / #leaves)
  for _, list in ipairs(leaves) do
    if type(redis.pcall('LPOS', list, id, 'RANK', -1, 'MAXLEN', reach)) == 'number' then
      redis.call('LREM', list, -1, id)
    end
  end
  return stays
end

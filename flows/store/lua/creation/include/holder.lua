-- Finds the job that has a key. The key is one more lookup list, of one id, and the state of that job says whether it
-- still holds: a key has no lock that could stay when its holder is gone.
--@ exports: key_list holder
--@ needs: ns flow
--@ include: keys

--@ lazy

-- Returns the list of the job's key, which is the last of its lookups.
local function key_list(lookups) return ns .. 'job:' .. flow .. ':' .. string.match(lookups, '[^\n]+$') end

-- Returns the id of the job that has the key, and some fields of its hash; nothing where it is gone, or is no job.
local function holder(lookups, ...)
  local id = redis.call('LINDEX', key_list(lookups), 0)
  local key = id and job_key(flow, id)
  local fields = key and redis.pcall('HMGET', key, ...)
  if not fields or fields.err or redis.call('EXISTS', key) == 0 then return nil end
  return id, fields
end

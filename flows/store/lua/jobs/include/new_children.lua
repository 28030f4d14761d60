-- Checks and writes the children that a call brings.
--@ exports: children_conflict take_children
--@ needs: flow queue rest
--@ include: keys arguments type place

-- Returns a sentence where a key that creating children of the job `id` writes to is not ours; the children stand from
-- rest[i] on, after their count.
local function children_conflict(job_id, i)
  local wrong = conflict('set', flows_key('pending', flow .. ':' .. job_id))
  local n = tonumber(rest[i])
  i = i + 1
  for _ = 1, n do
    local child = queue .. ':' .. rest[i]
    wrong = wrong or place_conflict(child) or conflict('hash', flows_key('parents', child))
    i = i + 3 + tonumber(rest[i + 2])
  end
  return wrong
end

-- Reads and writes children: a counted list of (child queue, id, counted fields). Returns {flow, id} pairs.
-- Children have no TTL while their parent waits; `life` bounds those whose parent does not wait yet.
local function take_children(job, life)
  local built, ids = {}, {}
  local me = flow .. ':' .. job.id
  for i = 1, tonumber(take()) do
    local child, job_id, fields = queue .. ':' .. take(), take(), take_counted()
    local key = job_key(child, job_id)
    redis.call('HSET', key, '_parent', me, unpack(fields))
    if life and life > 0 then redis.call('PEXPIRE', key, life) end
    built[i], ids[i] = { child, job_id }, job_id
  end
  if #ids > 0 then redis.call('SADD', flows_key('pending', me), unpack(ids)) end
  return built
end

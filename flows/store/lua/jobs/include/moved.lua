-- Sets how long a job lives that begins a visit: a little longer than any other, so that a claim that comes soon has
-- nothing to refresh.
--@ exports: refresh_moved moved_lately
--@ include: life clock settings

-- Both for the `ttl` that they were reckoned from.
local lately, moved_ttl, of

local function reckon()
  of, lately = ttl, math.floor(ttl / 64)
  moved_ttl = ttl == '0' and ttl or string.format('%d', ttl + lately)
end

-- As `refresh`, when the job goes to a queue.
local function refresh_moved(job_flow, key, lookups)
  if of ~= ttl then reckon() end
  return refresh(job_flow, key, lookups, moved_ttl)
end

-- Returns whether a job that came to its queue at this time lives for `ttl` from now on at least.
local function moved_lately(since)
  if of ~= ttl then reckon() end
  return time - since <= lately
end

-- Picks the jobs that a worker gets next: those that wait in its queue, one after another.
--@ exports: pick
--@ needs: queue waiting processing busy
--@ include: clock claim life count stale settings presized

-- A turn brings so many bytes of jobs, and looks at so many ids.
local MAX_BYTES, MOST_SEEN = 1048576, 400

-- Claims up to `wanted` jobs, with these of their fields. Returns them, and how many ids were dropped as `expired`,
-- `malformed` and `misplaced`; those of jobs that had left were counted then.
local function pick(wanted, fields)
  local claimed, leases, n, bytes, used = {}, {}, 0, 0, 0
  local dropped = { expired = 0, malformed = 0, misplaced = 0 }
  local until_ms = string.format('%d', time + tonumber(lease))
  while used < MOST_SEEN and n < wanted do
    local missing = wanted - n
    local ids = redis.call('LRANGE', waiting, used, used + missing - 1)
    local stop = #ids < missing
    if n == 0 then claimed, leases = presized(#ids), presized(2 * #ids) end
    for _, id in ipairs(ids) do
      local word, job, size = claim(id, fields, n > 0 or busy == '1')
      if word == 'isolated' then
        stop = true
        break
      end
      used = used + 1
      if word == 'claimed' then
        n = n + 1
        claimed[n], leases[2 * n - 1], leases[2 * n] = job, until_ms, id
        bytes = bytes + size
        if is_isolated(job[5]) or bytes >= MAX_BYTES or refreshes_left <= 0 then
          stop = true
          break
        end
      elseif not was_stale(queue, id) then
        dropped[word] = dropped[word] + 1
      end
    end
    if stop then break end
  end
  cut_list(claimed, n)
  if used > 0 then redis.call('LTRIM', waiting, used, -1) end
  if n > 0 then redis.call('ZADD', processing, unpack(leases, 1, 2 * n)) end
  if used > n then
    for word, many in pairs(dropped) do count(queue, word, many) end
  end
  return claimed, { dropped.expired, dropped.malformed, dropped.misplaced }
end

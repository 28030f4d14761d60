-- Picks the jobs that a worker of a queue with rules gets next: as many as its limits and slots let start by now or
-- within some ms, by their priorities, and by groups in turn.
--@ exports: pick
--@ needs: queue processing busy
--@ include: keys clock claim life count stale settings rules spots ruled limits slots ring bands heads fair window
--@ include: resumed

local MAX_BYTES = 1048576

local rule = RULES[queue]
local LIMITED, SLOTTED = #rule.limits > 0, rule.slots > 0 or rule.per_group > 0
local CHARGED = rule.group or rule.shares

-- Returns whether nothing of the queue may start until some time, because a job has asked for that, and notes that time.
local function is_held()
  local held = tonumber(redis.call('HGET', queue_key(queue, 'meta'), 'held')) or 0
  if held <= time then return false end
  ruled.blocked, ruled.ready = true, held
  return true
end

-- Returns when the queue lets one more job start; nothing where that is not soon, and notes what is to be waited for. One
-- that has `kept` its slot needs none.
local function open_at(kept)
  local start = queue_ready(1)
  if start > time + AHEAD then
    ruled.blocked, ruled.ready = true, start - AHEAD
  elseif not kept and free_slots() < 1 then
    ruled.blocked = true
    wait_for_slots(1)
  else
    return start
  end
end

local taken = {}

-- Returns the next id, and its list; nothing where none may start.
local function next_waiting(wanted)
  while ruled.looks > 0 do
    local list, many = next_list(wanted)
    if not list then
      ruled.idle = ruled.looks > 0
      return nil
    end
    ruled.looks = ruled.looks - 1
    local id = heads.take(list, many)
    if id then
      if ruled.group ~= '' then taken[ruled.band] = (taken[ruled.band] or 0) + 1 end
      return id, list
    end
    list_is_empty()
  end
end

local function put_back(list, id)
  heads.give_back(list, id)
  if ruled.group ~= '' then taken[ruled.band] = taken[ruled.band] - 1 end
end

-- Charges a job that was claimed to all that the rules count; its turn is not that of its list where it has `kept` its slot.
local function start_job(id, job, kept)
  ruled.given(job)
  if CHARGED and not kept then charge(ruled.cost) end
  if LIMITED then take_from_limits(ruled.group, ruled.cost, ruled.start) end
  if SLOTTED then hold_slots(id, ruled.group, ruled.cost) end
end

local function write_rules()
  heads.cut()
  if CHARGED then
    write_rings()
    write_fair()
  end
  write_windows()
  write_slots()
  -- Of none, `-n` is a -0, which Redis 7.0 takes for no number.
  for band, n in pairs(taken) do redis.call('HINCRBY', fair_of(queue), 'n' .. band, 0 - n) end
end

-- Claims up to `wanted` jobs, with these of their fields. Returns them, and how many ids were dropped as `expired`,
-- `malformed` and `misplaced`; those of jobs that had left were counted then.
local function pick(wanted, fields)
  local claimed, leases, n, bytes = {}, {}, 0, 0
  local dropped = { expired = 0, malformed = 0, misplaced = 0 }
  if is_held() then
    share_slots()
    return claimed, { 0, 0, 0 }
  end
  local until_ms = string.format('%d', time + tonumber(lease))
  local read = ruled.fields(fields)
  if rule.group then unpark() end
  while n < wanted do
    local kept, kept_start
    if SLOTTED then kept, kept_start = resumed.next() end
    local start = time
    if LIMITED or SLOTTED then start = open_at(kept) end
    if not start then break end
    ruled.start = kept_start or start
    local id, list = kept, nil
    if not kept then id, list = next_waiting(wanted - n) end
    if not id then break end
    if ruled.start < start then ruled.start = start end
    local word, job, size = claim(id, read, n > 0 or busy == '1')
    if kept and word ~= 'isolated' then resumed.forget(id) end
    if word == 'claimed' then
      start_job(id, job, kept)
      n = n + 1
      claimed[n] = job
      leases[2 * n - 1], leases[2 * n] = until_ms, id
      bytes = bytes + size
      if is_isolated(job[5]) or bytes >= MAX_BYTES or refreshes_left <= 0 then break end
    elseif word == 'isolated' then
      if not kept then put_back(list, id) end
      break
    elseif word == 'heavy' then
      put_back(list, id)
      if ruled.blocked then break end
      leave_ring(ruled.band, ruled.park)
    elseif dropped[word] and not was_stale(queue, id) then
      dropped[word] = dropped[word] + 1
    end
  end
  -- Who is woken for what is left would find no slot. Where others hold some it asks all the same: only a queue with a
  -- worker that has time waits for those that others give back.
  if SLOTTED and n == wanted and holds_all() then ruled.blocked = true end
  write_rules()
  if n > 0 then redis.call('ZADD', processing, unpack(leases)) end
  share_slots()
  for word, more in pairs(dropped) do count(queue, word, more) end
  return claimed, { dropped.expired, dropped.malformed, dropped.misplaced }
end

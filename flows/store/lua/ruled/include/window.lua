-- A sliding window of tokens: no interval holds more than `most` of them, wherever it begins. `model/limits/window.py` is
-- the same in Python. What is kept are pairs of a time, in ms of the server, and how many tokens count from then on, and
-- last, where starts are spaced evenly, when the next one may be. The server's time is cut to whole ms: a token that is
-- taken now counts from the next one, since it may be that late. One that is given out for later counts from then.
--@ exports: AHEAD terms_of open_window ready_at take_tokens write_windows
--@ include: clock many_fields

-- Tokens are given out so many ms before their time at most: then their worker waits for it, and not for a script.
local AHEAD = 50
-- Tokens within such a part of an interval stand together, at the time of the last one.
local PARTS = 64
-- Spaces are multiples of such a part of a ms: sums of them are exact.
local GRID = 1024
-- A window stays a little longer than its tokens count: its interval may be made longer meanwhile.
local SPARE_MS = 60000

local changed = {}

-- A token that counts from a later time was given out before the server's clock was set back.
local LATEST = time + AHEAD + 1

-- Returns the pairs that a text holds, how many tokens they are, and when the next start may be.
local function parse(text)
  local entries, used, next_at = cmsgpack.unpack(text), 0, 0
  if #entries % 2 == 1 then next_at = table.remove(entries) + 0 end
  for i = 2, #entries, 2 do
    used = used + entries[i]
    if entries[i - 1] > LATEST then entries[i - 1] = LATEST end
  end
  return entries, used, next_at
end

-- Returns what all windows of a limiter have in common. Those of groups stand in one hash: `hash` has its `key`, and the
-- longest `interval` by which it was written, for whoever takes out of it what is over.
local function terms_of(most, interval, smooth, hash)
  local spacing = smooth and math.ceil(interval * GRID / most) / GRID or 0
  return { most = most, interval = interval, part = interval / PARTS, spacing = spacing, hash = hash }
end

-- Returns the window of a key, or of a field of the hash, that holds this text, or nothing; one that was edited into
-- nonsense begins anew.
local function open_window(key, text, terms)
  local known, entries, used, next_at = false, nil, nil, nil
  if text then known, entries, used, next_at = pcall(parse, text) end
  if not known then entries, used, next_at = {}, 0, 0 end
  local window = { key = key, terms = terms, entries = entries, first = 1, used = used, ready = 0, ready_cost = 0 }
  if terms.spacing > 0 then window.next_at = math.min(next_at, LATEST + terms.most * terms.spacing) end
  return window
end

-- Returns when a job of this cost may start: now, or later. A cost over all tokens counts as all of them.
local function ready_at(window, cost)
  if window.ready_cost == cost then return window.ready end
  local entries, interval, most = window.entries, window.terms.interval, window.terms.most
  local i, used = window.first, window.used
  -- Forgotten is only what is over now: what is over at a later time still counts for a window that ends before.
  while entries[i] and entries[i] + interval <= time do
    used = used - entries[i + 1]
    i = i + 2
  end
  window.first, window.used = i, used
  local at_ms = time
  local last = entries[i] and entries[#entries - 1] or 0
  if last > time + 1 then at_ms = last end
  if window.next_at and window.next_at > at_ms then at_ms = math.ceil(window.next_at) end
  local room = cost < most and most - cost or 0
  while entries[i] and used > room do
    if entries[i] + interval > at_ms then at_ms = entries[i] + interval end
    used = used - entries[i + 1]
    i = i + 2
  end
  window.ready_cost, window.ready = cost, at_ms
  return at_ms
end

-- Takes the tokens of a job that starts at `at_ms`, when the window is ready for it or later.
local function take_tokens(window, cost, at_ms)
  local entries, terms, n = window.entries, window.terms, #window.entries
  local from = at_ms > time and at_ms or time + 1
  if cost > terms.most then cost = terms.most end
  local part, last = terms.part, entries[n - 1]
  local together = last == from or (last and from - last < part and math.floor(last / part) == math.floor(from / part))
  if together then
    entries[n - 1], entries[n] = from, entries[n] + cost
  else
    entries[n + 1], entries[n + 2] = from, cost
  end
  window.used = window.used + cost
  -- As long as there are tokens by now, the next job of one may start when this one does.
  local more = cost == 1 and window.ready == at_ms and window.used < terms.most and terms.spacing == 0
  if not more then window.ready_cost = 0 end
  if terms.spacing > 0 then
    -- A start is at a whole ms, and what its time was rounded up by is not lost.
    local exact = math.ceil(window.next_at) == from and window.next_at or from
    window.next_at = exact + cost * terms.spacing
  end
  if not window.changed then
    window.changed = true
    changed[#changed + 1] = window
  end
end

-- Returns the pairs of a window as they are kept, and for how many ms.
local function packed(window)
  local entries = window.entries
  local kept = window.first == 1 and entries or { unpack(entries, window.first) }
  local last = entries[#entries - 1] + window.terms.interval
  if window.next_at then
    last = math.max(last, math.ceil(window.next_at))
    kept[#kept + 1] = window.next_at
  end
  return cmsgpack.pack(kept), last - time + SPARE_MS
end

-- Writes windows of groups. Their hash stays as long as the one that stays longest.
local function write_hash(hash, windows)
  local fields, longest, interval = {}, 0, hash.interval
  for n = 1, #windows do
    local window = windows[n]
    local text, life = packed(window)
    fields[2 * n - 1], fields[2 * n] = window.key, text
    if life > longest then longest = life end
    if window.terms.interval > interval then interval = window.terms.interval end
  end
  if interval > hash.interval then fields[#fields + 1], fields[#fields + 2] = '', interval end
  set_fields(hash.key, fields)
  if redis.call('PEXPIRE', hash.key, longest, 'NX') == 0 then redis.call('PEXPIRE', hash.key, longest, 'GT') end
end

-- Writes the windows from which tokens were taken.
local function write_windows()
  local of_hash = {}
  for n = 1, #changed do
    local window = changed[n]
    local hash = window.terms.hash
    if hash then
      local windows = of_hash[hash] or {}
      of_hash[hash] = windows
      windows[#windows + 1] = window
    else
      local text, life = packed(window)
      redis.call('SET', window.key, text, 'PX', life)
    end
  end
  for hash, windows in pairs(of_hash) do write_hash(hash, windows) end
end

-- Names jobs where they stand in a queue of several flows: by `<flow>:<id>`. What a flow says of such queues, and how
-- long its jobs live, stands in the settings of the caller's flow, and of any other at `flows:settings:<flow>`.
--@ exports: member_of flow_and_id take_times line_of kept_by
--@ args: root settings
--@ include: keys settings held

local LINE = '\n= (%S+) (%S+) (%-?%d+) (%d+)'

-- Reads the settings of a flow: its times, and of each shared queue where its jobs go next (nil: they are done), what
-- is added to their priority, and how many priorities that queue has.
local function read(text)
  local lines, times = {}, { string.match(text, '^(%d+) (%d+) (%d+) (%d+) ') }
  for name, to, diff, priorities in string.gmatch(text, LINE) do
    lines[name] = { to = to ~= '-' and to or nil, diff = tonumber(diff), priorities = tonumber(priorities) }
  end
  return { lines = lines, times = times }
end

local known = {}
known[root] = read(settings)

-- Of a flow that is not known any more, the caller's times count; it says nothing of queues.
local function settings_of(job_flow)
  local found = known[job_flow]
  if not found then
    local text = redis.pcall('GET', flows_key('settings', job_flow))
    found = type(text) == 'string' and read(text) or { lines = {}, times = known[root].times }
    known[job_flow] = found
  end
  return found
end

-- Jobs of a flow that says nothing of a queue that the caller shares are done there.
local NO_LINE = { diff = 0, priorities = 1 }

-- Returns what a flow says of a queue; nothing where the queue is its own. Child queues never are shared: the flow of
-- their jobs bears their name.
local function line_of(job_flow, job_queue)
  return settings_of(job_flow).lines[job_queue] or (known[root].lines[job_queue] and NO_LINE)
end

local function member_of(job_queue, job_flow, job_id)
  if string.find(job_queue, ':', 1, true) or not line_of(job_flow, job_queue) then return job_id end
  return job_flow .. ':' .. job_id
end

local function flow_and_id(job_flow, member)
  local of, job_id = split(member)
  if of then return of, job_id end
  return job_flow, member
end

local taken = root

-- Children have the times of the caller's flow.
local function take_times(job_flow)
  local of = string.find(job_flow, ':', 1, true) and root or job_flow
  if of == taken then return end
  taken = of
  local life, done, failed, cancelled = unpack(settings_of(of).times)
  -- On two lines: so the loader sees that what is assigned here is used.
  -- luacheck: push ignore 311
  ttl, held_ttl, kept_done, kept_failed, kept_cancelled
    = life, held_for(life), done, failed, cancelled
  -- luacheck: pop
end

local WORDS = { done = 2, failed = 3, cancelled = 4 }

-- Returns how many milliseconds a flow keeps the hash of a job that has ended so.
local function kept_by(job_flow, word) return settings_of(job_flow).times[WORDS[word]] end

-- What the flow's settings say of queues with rules: read when a queue is first asked for, and only of that queue.
--@ exports: RULES
--@ args: settings
--@ include: described

local function limits_of(text)
  local limits = {}
  for limit_id, reservoir, interval, by, smooth in string.gmatch(text, ' (%S+)=(%d+)/(%d+)/([qg])/([01])') do
    limits[#limits + 1] = {
      id = limit_id, reservoir = tonumber(reservoir), interval = tonumber(interval),
      by_group = by == 'g', smooth = smooth == '1',
    }
  end
  return limits
end

local function shares_of(text)
  if text == '-' then return nil end
  local shares = {}
  for share in string.gmatch(text, '[^,]+') do shares[#shares + 1] = tonumber(share) end
  return shares
end

local function some(text) return text ~= '-' and text or nil end

-- Returns the rules of a queue; false where it has none.
local function read(job_queue)
  local name = described_as(job_queue)
  local from = string.find(settings, '\n' .. name .. ' ', 1, true)
  if not from then return false end
  local priorities, shares, group, slots, per_group, sharing, diff, limits =
    string.match(settings, '^ (%d+) (%S+) (%S+) (%d+) (%d+) (%S+) (%-?%d+)([^\n]*)', from + #name + 1)
  if not priorities then error('the settings of queue ' .. job_queue .. ' cannot be read') end
  return {
    priorities = tonumber(priorities), shares = shares_of(shares), group = some(group), slots = tonumber(slots),
    per_group = tonumber(per_group), sharing = some(sharing), diff = tonumber(diff), limits = limits_of(limits),
    flat = priorities == '1' and group == '-', -- all its jobs wait in one list
  }
end

-- Queue -> `priorities`, `shares` (a list, or nil), `group` (the field, or nil), `slots` and `per_group` (0: any
-- number), `sharing` (the id of slots that other queues take from too, or nil), `diff`, `limits`, `flat`; false for a
-- plain queue.
local RULES = setmetatable({}, {
  __index = function(known, job_queue)
    local rule = read(job_queue)
    known[job_queue] = rule
    return rule
  end,
})

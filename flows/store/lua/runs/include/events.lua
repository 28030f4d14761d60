-- Reads the events of one name and key, which stand in a stream; a run looks behind the last one that it has taken.
--@ exports: event_after event_tail position_of taken_field
--@ include: keys

--@ lazy

local function taken_field(name) return '_taken:' .. name end

-- Returns the first entry behind a position: `(<entry>` behind that one, `<ms>` from then on.
local function event_after(name, position)
  return redis.call('XRANGE', flows_key('event', name), position, '+', 'COUNT', 1)[1]
end

-- Returns what is behind the kind, and when it began, in the record of a step that has got this entry.
local function event_tail(entry) return '"entry":"' .. entry[1] .. '","result":' .. entry[2][2] end

-- Returns from where on a run looks: behind the entry that it names, or that it took last, or so long before it began.
local function position_of(key, name, after, since_ms)
  if after ~= '' then return '(' .. after end
  local marks = redis.call('HMGET', key, taken_field(name), '_created')
  if marks[1] then return '(' .. marks[1] end
  return string.format('%d', math.max(0, (tonumber(marks[2]) or 0) - tonumber(since_ms)))
end

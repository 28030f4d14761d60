-- Says where a job of a shared queue goes when its attempt has ended: where its own flow says, whatever flow its worker
-- is of; and with which priority.
--@ exports: routed
--@ needs: flow queue rest at
--@ include: member

-- Returns the priority in the next queue, if it is another one.
local function changed_priority(key, line)
  if line.diff == 0 then return nil end
  local before = tonumber(redis.call('HGET', key, '_priority')) or 1
  local later = math.min(math.max(before + line.diff, 1), line.priorities)
  return later ~= before and string.format('%d', later) or nil
end

-- Returns the verb, and where its arguments end. The first of them is where the job goes, and what its function
-- returned follows, in `await_children` after two more and its count.
local function routed(verb, after, key)
  local line = line_of(flow, queue)
  if not line or (verb ~= 'advance' and verb ~= 'finish' and verb ~= 'await_children') then return verb, after end
  local awaits = verb == 'await_children'
  rest[at] = line.to or ''
  local priority = line.to and changed_priority(key, line)
  if priority then
    if awaits then rest[at + 3] = string.format('%d', rest[at + 3] + 2) end
    local where = awaits and at + 4 or after
    table.insert(rest, where, '_priority')
    table.insert(rest, where + 1, priority)
    after = after + 2
  end
  return awaits and verb or line.to and 'advance' or 'finish', after
end

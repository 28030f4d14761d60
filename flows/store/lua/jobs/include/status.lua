-- Writes `_status`, as the only file, and refuses every move that is not in MOVES, the table of model/state.py. What
-- comes first among the other fields is `_queue`, where the job goes to another one.
--@ exports: move enter is_state
--@ needs: MOVES STATES
--@ include: told

-- The last move from each state: most jobs of a script make the same.
local known = {}

local function move(key, from, to, ...)
  if known[from] ~= to then
    if not string.find(MOVES, ' ' .. tostring(from) .. '>' .. tostring(to) .. ' ', 1, true) then
      error('no move from ' .. tostring(from) .. ' to ' .. tostring(to) .. ': ' .. key)
    end
    known[from] = to
  end
  redis.call('HSET', key, '_status', to, ...)
  if not unheard then
    local field, job_queue = ...
    told_of(key, to, field == '_queue' and job_queue)
  end
end

-- Writes a new job's hash with the state in which it enters, and its fields.
local function enter(key, to, ...)
  redis.call('HSET', key, '_status', to, ...)
  local field, job_queue = ...
  told_of(key, to, field == '_queue' and job_queue)
end

-- Returns whether this is a state of jobs; a hash that was edited may name any.
local function is_state(word)
  return not string.find(word, ' ', 1, true) and string.find(STATES, ' ' .. word .. ' ', 1, true) ~= nil
end

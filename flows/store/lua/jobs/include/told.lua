-- Tells what a script has moved, once, at its end: a line `<id> <state> <queue>` for each job, `-` for a queue that
-- stays. A message is a hint, which may be lost: whoever listens reads the keys. Nobody listens most of the time, and
-- then nothing is gathered: that is asked once a script.
--@ exports: unheard told_of tell_ended tell
--@ needs: root
--@ include: keys

-- What a message takes; more are told by the next one.
local MOST_BYTES = 65536

-- Whether nobody listens to the flow; nothing until that was asked.
local unheard = nil

local heard
local lines, bytes = {}, 0

local function is_heard(job_flow)
  if not heard then heard = {} end
  if heard[job_flow] == nil then
    local listeners = redis.pcall('PUBSUB', 'SHARDNUMSUB', flows_key('heard', job_flow))
    heard[job_flow] = listeners.err ~= nil or listeners[2] > 0
  end
  return heard[job_flow]
end

local function tell()
  if #lines == 0 then return end
  redis.pcall('SPUBLISH', flows_key('changed', root), table.concat(lines, '\n'))
  lines, bytes = {}, 0
end

-- Gathers that the job of this key is in a state now, or has news of itself.
local function told_of(key, state, job_queue)
  if unheard == nil then unheard = not is_heard(root) end
  if unheard then return end
  local _, job_id = split(key)
  local line = job_id .. ' ' .. state .. ' ' .. (job_queue or '-')
  lines[#lines + 1], bytes = line, bytes + #line
  if bytes > MOST_BYTES then tell() end
end

-- Notifies those who wait for the end of the job, on its own channel. They listen to the flow as well.
local function tell_ended(job_flow, job_id, word)
  if unheard and job_flow == root then return end
  if is_heard(job_flow) then redis.pcall('SPUBLISH', flows_key('ended', job_flow .. ':' .. job_id), word) end
end

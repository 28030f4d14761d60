-- Reads and writes the field `_attempt` of a job's hash:
-- `<fence> <worker> <attempts> <visit> <rescues> <since> <path>`.
-- The field holds all that a claim and an end need of attempts: the worker that has the job or had it last, the counts,
-- since when the job is where it is, and its path through the queues. A job that was just created has no such field.
--@ exports: text_of read_attempt waited_since_birth is_over next_visit path_of_claim counts attempt_over joined
--@ include: clock

-- Lua formats a number each time anew, which takes longer than to find its text in a table; most counts are small.
local texts = {}
local function text_of(n)
  local text = texts[n]
  if not text then
    text = string.format('%d', n)
    texts[n] = text
  end
  return text
end

-- Returns fence, worker, attempts, visit, rescues, since and path as texts, or nothing where the field was edited into
-- nonsense.
local function read_attempt(text)
  if not text then return '0', '-', '0', '0', '0', '0', '-' end
  local job_fence, by, attempts, visit, rescues, since, path = string.match(text,
    '^(%d+) (%S+) (%d+) (%d+) (%d+) (%d+) (%S+)$')
  if job_fence and #job_fence < 16 and #since < 16 then
    return job_fence, by, attempts, visit, rescues, since, path
  end
end

-- The path is `<queue>=<waited>[/<ran>[/<in children>]]` for each visit, in milliseconds, with commas between them; one
-- at its end says that the last visit is over. The times of several attempts in one visit are added up.
-- While its first attempt runs it is `+`: the job is in `_queue`, and has waited since the time in its id.
local MOST_VISITS = 30
local COMMA = 44

--@ lazy

-- Returns for how many ms a job had waited at `at_ms` since the time in its id; 0, where the id has none. Jobs of a batch
-- have one time.
local births = {}
local function waited_since_birth(job_id, at_ms)
  local head = string.sub(job_id, 1, 13)
  local birth = births[head]
  if not birth then
    birth = tonumber(string.sub(head, 1, 8) .. string.sub(head, 10), 16) or at_ms
    births[head] = birth
  end
  return math.max(0, at_ms - birth)
end

local function is_over(path) return path == '-' or string.byte(path, -1) == COMMA end

-- Returns the path with so many milliseconds more in which the job ran in the visit that it names last.
local function with_run(path, job_id, job_queue, since, ran)
  if path == '+' then
    return job_queue .. '=' .. text_of(waited_since_birth(job_id, tonumber(since))) .. '/' .. text_of(math.max(0, ran))
  end
  local head, before = string.match(path, '^(.*)/(%d+)$')
  return (head or path) .. '/' .. text_of(math.max(0, ran) + (before or 0))
end

-- Returns the path when the visit that it names last is over.
local function closed(path)
  if #path > 4 * MOST_VISITS then
    local _, visits = string.gsub(path, ',', ',')
    if visits >= MOST_VISITS then path = string.match(path, ',(.*)$') end
  end
  return path .. ','
end

-- Returns the field for a new visit of a job that was in `job_queue`; it begins now. The attempt before it has run until
-- now, or until the job has ended; of a job that waited then, its path says that its visit is over, or was none.
local function next_visit(text, job_id, job_queue, ended_ms)
  local job_fence, by, _, visit, _, since, path = read_attempt(text)
  if not job_fence then return text end
  if not is_over(path) then path = closed(with_run(path, job_id, job_queue, since, (ended_ms or time) - since)) end
  return job_fence .. ' ' .. by .. ' 0 ' .. text_of(visit + 1) .. ' 0 ' .. now_text .. ' ' .. path
end

-- Returns the path of a job that is claimed after so many milliseconds, in its first visit or again in the same one.
local function path_of_claim(path, job_queue, waited)
  if path == '-' then return job_queue .. '=' .. text_of(waited) end
  local head, before, tail = string.match(path, '^(.*=)(%d+)(.*)$')
  if not head then return path end
  return head .. text_of(before + waited) .. tail
end

-- Returns how often the job was tried in this queue, the number of its visit, and how often it was rescued here.
local function counts(text)
  local _, _, attempts, visit, rescues = read_attempt(text)
  return tonumber(attempts or 1), tonumber(visit or 0), tonumber(rescues or 0)
end

-- Returns the field when an attempt is over and the job stays in its queue, with `more` attempts and rescues: from now
-- on it is where it is, or from a later time on. Nonsense stays as it is, and fails the job at its next claim.
local function attempt_over(text, job_id, job_queue, more_attempts, more_rescues, from)
  local job_fence, by, attempts, visit, rescues, since, path = read_attempt(text)
  if not job_fence then return text end
  if not is_over(path) then path = with_run(path, job_id, job_queue, since, time - since) end
  return job_fence .. ' ' .. by .. ' ' .. text_of(math.max(0, attempts + more_attempts)) .. ' ' .. visit .. ' '
    .. text_of(math.max(0, rescues + more_rescues)) .. ' ' .. (from or now_text) .. ' ' .. path
end

-- Returns the field of a parent that goes on to its next queue: it has waited for its children since.
local function joined(text)
  local job_fence, by, _, visit, _, since, path = read_attempt(text)
  if not job_fence then return text end
  if not is_over(path) then path = closed(path .. '/' .. text_of(math.max(0, time - since))) end
  return job_fence .. ' ' .. by .. ' 0 ' .. text_of(visit + 1) .. ' 0 ' .. now_text .. ' ' .. path
end

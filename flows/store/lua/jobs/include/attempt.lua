-- Reads and writes the field `_attempt` of a job's hash: `<fence> <worker> <attempts> <visit> <rescues>`.
-- The field holds all that a claim and an end need of attempts: the worker that has the job or had it last, and the
-- counts. A job that was just created has no such field.
--@ exports: text_of read_attempt counts with_counts next_visit one_less

local NONE = '0 - 0 0 0'

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

-- Returns fence, worker, attempts, visit and rescues as texts, or nothing where the field was edited into nonsense.
local function read_attempt(text)
  if not text then return '0', '-', '0', '0', '0' end
  local job_fence, by, attempts, visit, rescues = string.match(text, '^(%d+) (%S+) (%d+) (%d+) (%d+)$')
  if job_fence and #job_fence < 16 then return job_fence, by, attempts, visit, rescues end
end

-- Returns how often the job was tried in this queue, the number of its visit, and how often it was rescued here.
local function counts(text)
  local _, _, attempts, visit, rescues = read_attempt(text)
  return tonumber(attempts or 1), tonumber(visit or 0), tonumber(rescues or 0)
end

-- Returns the field with other counts; nonsense stays as it is, and fails the job at its next claim.
local function with_counts(text, attempts, visit, rescues)
  return (string.gsub(text or NONE, ' %d+ %d+ %d+$', ' ' .. attempts .. ' ' .. visit .. ' ' .. rescues))
end

-- Returns the field for a new visit to a queue.
local function next_visit(text)
  local _, visit = counts(text)
  return with_counts(text, 0, visit + 1, 0)
end

-- Returns the field with one attempt less: this one is not used up.
local function one_less(text)
  local attempts, visit, rescues = counts(text)
  return with_counts(text, math.max(0, attempts - 1), visit, rescues)
end

-- Reads what a flow leaves behind of the jobs that end: `@ <entries that a log keeps, 0: no log> <for how many ms>
-- <fields that are copied or ->`, then for each reporter `> <queue> <words> <types or *>`, with commas. These lines stand
-- in the settings, or where a process says `?`, at `flows:settings:<flow>`, where those that know have written them.
--@ exports: outbox_text most_entries entries_ms
--@ args: root settings
--@ include: keys type

local function stored_text()
  local stored = flows_key('settings', root)
  expect('string', stored)
  return redis.call('GET', stored) or ''
end

local outbox_text = string.find(settings, '\n?', 1, true) and stored_text() or settings
local most, ms = string.match(outbox_text, '\n@ (%d+) (%d+) ')
local most_entries = tonumber(most) or 0
local entries_ms = tonumber(ms)

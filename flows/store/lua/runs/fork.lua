-- Starts a run that has what another one had done, in parts: all parts but the last are put beside it, where nobody sees
-- them, and are gone in some minutes; the last one makes them the run. Sent twice, it is started once.
--@ keys: into forking
--@ args: ns now root flow settings new_id to_queue lookup_lines written
--@ rest: of a part, of which nothing is `written`, fields and values that `into` is to hold; of the last one the fields
--@ rest: of the hash and their values, counted, the last records, counted, and the steps whose children's results stand
--@ rest: beside it
--@ returns: word:word
--@ words: written | started | lost | conflict
--@ include: arguments clock keys type start_run told open_steps

local MINUTES = 10

local key = job_key(root, new_id)
if redis.call('EXISTS', key) == 1 then return 'started' end

if written == '' then
  expect('hash', into)
  redis.call('HSET', into, unpack(rest, at))
  redis.call('PEXPIRE', into, MINUTES * 60000)
  return 'written'
end

local fields, records = take_counted(), take_counted()
local run = { id = new_id, queue = to_queue, due = 0, key = '', fields = fields, lookups = lookup_lines }
if start_conflict(run) then return 'conflict' end
expect('hash', forking)
-- So many fields were put beside it.
if redis.call('HLEN', forking) ~= tonumber(written) then return 'lost' end
if written ~= '0' then
  redis.call('RENAME', forking, key)
  redis.call('PERSIST', key)
end
if #records > 0 then
  -- It has begun: whoever claims it reads what is recorded.
  fields[#fields + 1], fields[#fields + 2] = '_attempt', '1 - 0 0 0 ' .. now_text .. ' -'
end
start_run(run)
if #records > 0 then redis.call('HSET', key, unpack(records)) end
for i = at, #rest do
  redis.call('PERSIST', key .. ':children:' .. rest[i])
  keep_side(new_id, key, rest[i])
end
put_started()
tell()
return 'started'

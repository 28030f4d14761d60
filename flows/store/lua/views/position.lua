-- Reads how far a job is from its turn: how many ids stand before it where it waits, or are due before it where it is
-- delayed; -1 where it does neither. Answers too whether that is exact, when it is due, and its place in its group; -1
-- where it is in none.
--@ flags: no-writes
--@ keys: queues
--@ args: ns root first id
--@ rest: the names of all queues of the flow
--@ returns: ahead:int exact:int due:text in_group:int
--@ include: find_job place_in_list since member keys

local job_flow, kind, places = find_job(id)
if kind ~= 'hash' then return { -1, 1, '', -1 } end
local job = redis.call('HMGET', job_key(job_flow, id), '_status', '_attempt')
local status = job[1] or 'waiting'
if status == 'delayed' then
  local delayed, member = queue_key(places[1], 'delayed'), member_of(places[1], job_flow, id)
  local due = redis.pcall('ZSCORE', delayed, member)
  if type(due) ~= 'string' then return { -1, 1, '', -1 } end
  return { redis.call('ZRANK', delayed, member), 1, due, -1 }
end
if status ~= 'waiting' then return { -1, 1, '', -1 } end
local since = since_of(id, job[2])
local guess = -1
for _, place in ipairs(places) do
  local ahead, exact, found, in_group = place_in_list(job_flow, place, id, since)
  if ahead and found then return { ahead, exact and 1 or 0, '', in_group or -1 } end
  guess = ahead or guess
end
return { guess, guess < 0 and 1 or 0, '', -1 }

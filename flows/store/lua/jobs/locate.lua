-- Locates jobs that were never claimed: each waits where it was created, in what was the first queue of its flow then.
-- Answers the queue of each; nothing for one that has been claimed, or is gone, meanwhile.
--@ flags: allow-oom
--@ keys: queues
--@ args: ns root first
--@ rest: the ids of the jobs
--@ returns: located:list<text>
--@ include: keys waiting member

-- The lists of all first queues that the flow has ever had and in which ids stand, the shortest one first.
local lists = {}
local known = redis.pcall('HGETALL', queues)
if not known.err and #known > 2 then
  for i = 1, #known, 2 do
    local length = known[i + 1] == 'first' and depth(known[i])
    if length and length > 0 then lists[#lists + 1] = { known[i], length } end
  end
  table.sort(lists, function(a, b) return a[2] < b[2] end)
end

-- The longest list is not searched: a job that stands in none of the others stands there.
local function list_of(id)
  for i = 1, #lists - 1 do
    local member = member_of(lists[i][1], root, id)
    if redis.call('LPOS', list_for(lists[i][1], member), member) then return lists[i][1] end
  end
  return #lists > 0 and lists[#lists][1] or first
end

local located = {}
for i = at, #rest do
  local job = redis.pcall('HMGET', job_key(root, rest[i]), '_status', '_queue')
  local fresh = not job.err and not job[1] and not job[2] and redis.call('EXISTS', job_key(root, rest[i])) == 1
  located[#located + 1] = fresh and list_of(rest[i]) or ''
end
return located

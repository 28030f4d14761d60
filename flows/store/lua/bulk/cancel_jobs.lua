-- Cancels many jobs, each as `cancel` cancels one.
-- Answers a word for each, the ids of those whose children are to be cancelled, and what the errors say.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now root flow first settings reason states ended_before
--@ rest: the ids
--@ returns: words:list<word> names:list<text> errors:list<text>
--@ words: cancelled | requested | too late | gone | malformed | changed | later | error
--@ include: cancel_job keys type take_out each_job departures families asked

local cancelling = flows_key('cancelling', root)

local function flush()
  take_departed()
  settle_families()
end

-- A place of another type is named before anything is written, as where one job is cancelled.
local function set_aside(queue, member)
  expect_place(queue, 'waiting')
  depart(queue, member)
end

gather_families()
return each_job(function(id)
  expect('hash', cancelling)
  if not is_wanted(flow, id) then return 'changed' end
  local word = cancel_job(flow, first, id, reason, set_aside)
  local goes_on = redis.call('HEXISTS', cancelling, flow .. ':' .. id) == 1
  return word, goes_on and { id }
end, flush)

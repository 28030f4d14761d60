-- Gathers what many transitions of one script do to the same queue into one command each.
--@ exports: leave_processing push flush_batch
--@ needs: flow queue
--@ include: place leave member

local left_processing, pushed = {}, {}

-- Removes a job from `processing`, where its attempt has ended.
local function leave_processing(id)
  left_processing[#left_processing + 1] = member_of(queue, flow, id)
end

-- Pushes a job to the end of a queue.
local function push(to, id)
  if not pushed[to] then pushed[to] = {} end
  local ids = pushed[to]
  ids[#ids + 1] = member_of(to, flow, id)
end

local function flush_batch()
  if #left_processing > 0 then leave(queue, left_processing) end
  for to, ids in pairs(pushed) do put_many(to, ids) end
end

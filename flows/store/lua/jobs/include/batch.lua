-- Gathers what many transitions of one script do to the same queue into one command each.
--@ exports: begin_batch leave_processing push flush_batch
--@ needs: flow queue
--@ include: place leave member presized

local most, left, left_processing, pushed = 0, 0, nil, {}

-- So many attempts are to end.
local function begin_batch(attempts) most = attempts end

-- Removes a job from `processing`, where its attempt has ended.
local function leave_processing(id)
  if left == 0 then left_processing = presized(most) end
  left = left + 1
  left_processing[left] = member_of(queue, flow, id)
end

-- Pushes a job to the end of a queue.
local function push(to, id)
  local ids = pushed[to]
  if not ids then
    ids = { n = 0, list = presized(most) }
    pushed[to] = ids
  end
  ids.n = ids.n + 1
  ids.list[ids.n] = member_of(to, flow, id)
end

local function flush_batch()
  if left > 0 then
    cut_list(left_processing, left)
    leave(queue, left_processing)
  end
  for to, ids in pairs(pushed) do
    cut_list(ids.list, ids.n)
    put_many(to, ids.list)
  end
end

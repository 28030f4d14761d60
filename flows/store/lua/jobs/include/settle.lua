-- A child has ended, in whatever way: its parent's pending set is the gate that lets it count once.
--@ include: join

-- Children of one parent settle together: a list of {id, word, fragment}.
local function settle_children(flow, parent, children)
  local pending, ids, settled, failed = flows_key('pending', parent), {}, {}, nil
  for i, child in ipairs(children) do ids[i] = child[1] end
  redis.pcall('HDEL', flows_key('parents', flow), unpack(ids))
  local awaited = redis.pcall('SMISMEMBER', pending, unpack(ids))
  for i, child in ipairs(children) do
    if awaited[i] == 1 then
      local id, word, fragment = unpack(child)
      settled[#settled + 1] = id
      settled[#settled + 1] = fragment
      if word ~= 'done' then failed = failed or id .. ' is ' .. word end
    end
  end
  if #settled == 0 then return end
  redis.call('SREM', pending, unpack(ids))
  local key, queue = ns .. 'job:' .. parent, split(flow)
  local status = redis.pcall('HGET', key, '_status')
  if status == 'done' or status == 'failed' or status == 'cancelled' then return end
  if status ~= 'children' and (type(status) == 'table' or redis.call('EXISTS', key) == 0) then
    return parent_gone(parent, queue)
  end
  local side = key .. ':children:' .. queue
  redis.pcall('HSET', side, unpack(settled))
  if status == 'children' then
    if failed then child_failed(parent, queue, failed) end
    if redis.call('SCARD', pending) == 0 then join(parent) end
  else
    -- Its attempt, or the next one, is about to let it wait. Should it never, nothing of this stays.
    redis.call('PEXPIRE', side, tonumber(ttl) > 0 and ttl or kept_done)
    if failed then redis.call('HSET', key, '_failed_child', failed) end
  end
end

-- A script that ends many attempts gathers the children among them, by their parents.
local gathered

local function settle(flow, id, parent, word, fragment)
  local child = { id, word, fragment }
  if not gathered then return settle_children(flow, parent, { child }) end
  local name = flow .. ' ' .. parent
  local group = gathered[name]
  if group then
    table.insert(group[3], child)
  else
    group = { flow, parent, { child } }
    gathered[name] = group
    gathered[#gathered + 1] = group
  end
end

local function gather_settled() gathered = {} end

local function settle_gathered()
  local groups = gathered
  gathered = nil
  for _, group in ipairs(groups) do settle_children(unpack(group)) end
end

-- A child whose hash is gone (expired or deleted) still settles: the map beside it knows its parent.
function settle_missing(flow, id, word)
  local map = flows_key('parents', flow)
  local parent = redis.pcall('HGET', map, id)
  if type(parent) ~= 'string' then return end
  settle(flow, id, parent, word, word_fragment(id, word))
end

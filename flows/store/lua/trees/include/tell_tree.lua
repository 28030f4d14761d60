-- Tells who watches an instance what has changed: the first revision, then a line `<path>\t<record>` each, `#` for the
-- instance's own record. An empty message says only that something has.
--@ exports: tell_tree tell_trees
--@ include: keys

local function tell_tree(id, message) redis.pcall('SPUBLISH', flows_key('treechanged', id), message) end

-- Tells of changes that have an `id` each: `message_of` makes the message of one that somebody listens to, which is
-- asked once for all.
local function tell_trees(changes, message_of)
  if #changes == 0 then return end
  local channels = {}
  for i, one in ipairs(changes) do channels[i] = flows_key('treechanged', one.id) end
  local heard = redis.pcall('PUBSUB', 'SHARDNUMSUB', unpack(channels))
  for i, one in ipairs(changes) do
    if heard.err or heard[2 * i] > 0 then tell_tree(one.id, message_of(one)) end
  end
end

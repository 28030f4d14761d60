-- Tells who watches an instance what has changed: the first revision, then a line `<path>\t<record>` each, `#` for the
-- instance's own record. An empty message says only that something has. Without asking first: it is one a script.
--@ exports: tell_tree
--@ needs: instance_id
--@ include: keys

local function tell_tree(message) redis.pcall('SPUBLISH', flows_key('treechanged', instance_id), message) end

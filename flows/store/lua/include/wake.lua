-- Wakes one idle worker of a queue: a sorted set of one member is a bell that cannot pile up.
--@ include: keys

local function wake(queue) redis.call('ZADD', flows_key('wake', queue), 0, 'w') end

-- How long a hash lives that a worker has: two leases at least, however short `ttl` is, so that none ends in mid-run.
--@ exports: held_ttl
--@ include: settings

local held_ttl = ttl
if ttl ~= '0' and tonumber(ttl) < 2 * tonumber(lease) then held_ttl = string.format('%d', 2 * tonumber(lease)) end

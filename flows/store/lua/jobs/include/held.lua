-- How long a hash lives that a worker has: two leases at least, however short `ttl` is, so that none ends in mid-run.
--@ exports: held_ttl held_for
--@ include: settings

local function held_for(life)
  if life == '0' or tonumber(life) >= 2 * tonumber(lease) then return life end
  return string.format('%d', 2 * tonumber(lease))
end

local held_ttl = held_for(ttl)

-- Drops an id whose hash is gone: nothing is written to a hash that does not exist, but a child settles.
--@ exports: expire
--@ needs: flow
--@ include: ending

local function expire(id)
  settle_missing(flow, id, 'expired')
  return 'expired'
end

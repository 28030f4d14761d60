-- Knows the outbox of an app: which instances its index is to be told of, and from when on, in server milliseconds.
--@ exports: outbox_of
--@ include: keys type

local function outbox_of(name)
  local outbox = flows_key('treedirty', name)
  expect('zset', outbox)
  return outbox
end

-- Knows the outbox of an app: which instances its index is to be told of, and from when on, in server milliseconds.
--@ exports: outbox_key outbox_of
--@ include: keys type

local function outbox_key(name) return flows_key('treedirty', name) end

local function outbox_of(name)
  local outbox = outbox_key(name)
  expect('zset', outbox)
  return outbox
end

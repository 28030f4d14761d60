-- Makes a call safe to send twice where its effect alone is not: the second time, it only answers the same.
--@ exports: once
--@ needs: call
--@ include: type

-- Longer than a client goes on sending a call whose answer was lost.
local KEPT_MS = 20000

-- Returns what `work` returns, a table, or what it has returned to the same call before; `call` is the call's own key.
local function once(work)
  expect('string', call)
  local before = redis.call('GET', call)
  if before then return cmsgpack.unpack(before) end
  local answer = work()
  redis.call('SET', call, cmsgpack.pack(answer), 'PX', KEPT_MS)
  return answer
end

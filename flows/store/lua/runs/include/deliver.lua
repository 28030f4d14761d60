-- Settles steps that wait for events of one name and key: each gets the first one behind its position.
--@ exports: deliver
--@ needs: root
--@ include: keys events settle_step

--@ lazy

-- Looks at some 200 waiters from a cursor on. Returns the next cursor, '0' at the end, and how many steps were settled.
local function deliver(name, cursor)
  local waiters = flows_key('waiters', name)
  local page = redis.call('HSCAN', waiters, cursor, 'COUNT', 200)
  local gone, settled, newest = {}, 0, {}
  for i = 1, #page[2], 2 do
    local waiter, position = page[2][i], page[2][i + 1]
    local run_id, step = string.match(waiter, '^(%S+) (.+)$')
    if newest[position] == nil then newest[position] = event_after(name, position) or false end
    local found = newest[position]
    if found then
      gone[#gone + 1] = waiter
      if run_id and settle_wait(run_id, step, event_tail(found)) then
        settled = settled + 1
        redis.call('HSET', job_key(root, run_id), taken_field(name), found[1])
      end
    end
  end
  if #gone > 0 then redis.call('HDEL', waiters, unpack(gone)) end
  return page[1], settled
end

-- Ends an attempt by creating the job's children and letting it wait until they have settled.
--@ exports: await_children
--@ needs: flow queue rest at
--@ include: keys arguments batch child ending new_children

-- Arguments: next queue (or ''), policy, the result as JSON (or ''), counted fields, then the children;
-- none of them where `build` and `publish` have created too many for one call.
local function await_children(job)
  local next_queue, policy, result, fields = take(), take(), take(), take_counted()
  local function add(name, value)
    if value == '' then return end
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  local me = flow .. ':' .. job.id
  if tonumber(rest[at]) > 0 or not published(job) then forget_children(job) end
  local built = take_children(job)
  leave_processing(job.id)
  add('_policy', policy)
  add('_next', next_queue)
  add('_result', result)
  add('children:' .. queue .. ':jobs', #built > 0 and json_keys(keys_of(built)) or '')
  wait_for_children(job, fields)
  publish_children(job, built)
  if #built > 0 then return end
  -- The children that were built had a TTL until now, and some of them may have settled already.
  redis.call('PERSIST', settled_key(job))
  redis.call('PERSIST', flows_key('pending', me))
  local failed = redis.call('HGET', job.key, '_failed_child')
  redis.call('HDEL', job.key, '_failed_child')
  if failed then child_failed(me, queue, failed) end
  if redis.call('SCARD', flows_key('pending', me)) == 0 then join(me) end
end

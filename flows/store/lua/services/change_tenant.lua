-- Adds a tenant to a service's list, changes it where it has the revision that was seen (0: it is to be new), or, with an
-- empty record, removes it. Each change has a revision of its own, which rises over all tenants of the service.
-- Sent twice, it answers the same. Answers the tenant's revision too: where it has `moved`, the one that it has.
--@ flags: allow-oom
--@ args: ns service tenant_id seen record
--@ returns: answer:word revision:int
--@ words: changed | moved | gone
--@ include: keys type

local hash = flows_key('tenants', service)
expect('hash', hash)

-- A number beside the tenants, whose names have no `#`.
local REVISION = '#rev'

-- A message is a hint: whoever listens looks at the number now and then.
local function changed(revision)
  redis.pcall('SPUBLISH', flows_key('tenants_changed', service), revision)
  return { 'changed', revision }
end

local text, before = string.match(redis.call('HGET', hash, tenant_id) or '', '^(%d+) (.*)$')
local revision = tonumber(text) or 0
if record == '' then
  if redis.call('HDEL', hash, tenant_id) == 0 then return { 'gone', 0 } end
  return changed(redis.call('HINCRBY', hash, REVISION, 1))
end
if before == record and tonumber(seen) < revision then return { 'changed', revision } end
if tonumber(seen) ~= revision then return { revision == 0 and 'gone' or 'moved', revision } end
local new = redis.call('HINCRBY', hash, REVISION, 1)
redis.call('HSET', hash, tenant_id, string.format('%d %s', new, record))
return changed(new)

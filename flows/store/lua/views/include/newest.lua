-- Reads what the newest release of a flow declares, as JSON.
--@ exports: newest_declaration
--@ include: keys

local function newest_declaration(job_flow)
  local key = flows_key('flow', job_flow)
  local newest, last
  for _, name in ipairs(redis.pcall('HKEYS', key)) do
    local digest = string.match(name, '^(.*):seen$')
    local seen = digest and tonumber(redis.call('HGET', key, name))
    if seen and (not last or seen > last) and redis.call('HEXISTS', key, digest) == 1 then newest, last = digest, seen end
  end
  return newest and redis.call('HGET', key, newest)
end

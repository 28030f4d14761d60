-- Moves a job as `move` does, and gives some of its fields other values: what its workers read from then on.
-- An attribute by which it is looked up leaves the lists of its old values, and stands in those of its new ones.
-- Answers as `move`; where the job is not moved, nothing of it is edited.
--@ keys: call
--@ args: ns now root flow first id settings states ended_before target lookup_ttl edited enters
--@ rest: names and values of fields
--@ returns: word:word
--@ words: moved | gone | changed | there | child | cancelling | processing | children | done
--@ include: move place once count told type life cut keys settings

-- `edited`: the attributes among the fields by which the job is looked up, and `enters`: their lookups; a line each.
each_lookup(flow, enters, function(list) expect('list', list) end)

local function is_line(line, lines) return string.find('\n' .. lines .. '\n', '\n' .. line .. '\n', 1, true) end

-- Returns the job's lookups as they are to be, those that it leaves, and those in which it stands already.
local function looked_up_by(key)
  local lines, leaves, stands = { enters ~= '' and enters or nil }, {}, {}
  for line in string.gmatch(redis.call('HGET', key, '_lookups') or '', '[^\n]+') do
    if not is_line(string.match(line, '^[^:]*'), edited) then
      lines[#lines + 1] = line -- what is the job's own, and its key, stays last
    else
      local list = is_line(line, enters) and stands or leaves
      list[#list + 1] = line
    end
  end
  return table.concat(lines, '\n'), table.concat(leaves, '\n'), table.concat(stands, '\n')
end

local function look_up(key)
  local lines, leaves, stands = looked_up_by(key)
  each_lookup(flow, leaves, function(list)
    cut(nil, list, { id })
    if redis.call('EXISTS', list) == 1 then prune_later(flow, list, 0) end
  end)
  for line in string.gmatch(enters, '[^\n]+') do
    local list = ns .. 'job:' .. flow .. ':' .. line
    if not is_line(line, stands) then redis.call('RPUSH', list, id) end
    if ttl == '0' then
      redis.call('PERSIST', list)
    elseif redis.call('PTTL', list) < tonumber(lookup_ttl) then
      redis.call('PEXPIRE', list, lookup_ttl)
    end
  end
  if lines == '' then redis.call('HDEL', key, '_lookups') else redis.call('HSET', key, '_lookups', lines) end
end

return once(function()
  local word, queue, member = move_job(flow, first, id)
  if queue then
    local key = job_key(flow, id)
    redis.call('HSET', key, unpack(rest, at))
    if edited ~= '' then look_up(key) end
    put(queue, member)
  end
  write_counts()
  tell()
  return { word }
end)[1]

-- Writes what running functions report: their last progress, and lines of a bounded log.
-- Answers a word per job.
--@ keys: call
--@ args: ns flow worker_id most_lines
--@ rest: id, fence, progress as JSON (or ''), then a counted list of lines, for each job
--@ returns: words:list<word>
--@ words: ok | stale | gone | malformed
--@ include: keys owned arguments type once life

-- Lets the log live as long as its job: by a line of the hash, and from now on.
local function keep_log(job, log)
  local line = LOG_LINE .. job.id
  if not string.find('\n' .. (job.lookups or '') .. '\n', '\n' .. line .. '\n', 1, true) then
    redis.call('HSET', job.key, '_lookups', (job.lookups and job.lookups .. '\n' or '') .. line)
  end
  local left = redis.call('PTTL', job.key)
  if left == -1 then redis.call('PERSIST', log) else redis.call('PEXPIRE', log, left) end
end

local function write_progress()
  local words = {}
  while at <= #rest do
    local id, fence, progress, lines = take(), take(), take(), take_counted()
    local job, word = owned(flow, id, fence)
    if job then
      local log = flows_key('log', flow .. ':' .. id)
      expect('list', log)
      if progress ~= '' then redis.call('HSET', job.key, '_progress', progress) end
      if #lines > 0 then
        redis.call('RPUSH', log, unpack(lines))
        redis.call('LTRIM', log, -tonumber(most_lines), -1)
        keep_log(job, log)
      end
      word = 'ok'
    end
    words[#words + 1] = word
  end
  return words
end

return once(write_progress)

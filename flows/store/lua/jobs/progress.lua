-- Writes what running functions report: their last progress, and lines of a bounded log.
-- Answers a word per job.
--@ keys: call
--@ args: ns flow worker_id ttl most_lines
--@ rest: id, fence, progress as JSON (or ''), then a counted list of lines, for each job
--@ returns: words:list<word>
--@ words: ok | stale | gone | malformed
--@ include: keys owned arguments type once

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
        redis.call('PEXPIRE', log, tonumber(ttl) > 0 and ttl or 86400000)
      end
      word = 'ok'
    end
    words[#words + 1] = word
  end
  return words
end

return once(write_progress)

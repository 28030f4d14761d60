-- Writes what running functions report: their last progress, and lines of a bounded log.
-- Answers a word per job: `late` where the attempt has ended and no other has begun, so that only its lines count.
--@ keys: call
--@ args: now ns root flow worker_id most_lines
--@ rest: id, fence, progress as JSON (or ''), how many lines were skipped, then a counted list, for each job:
--@ rest: of each line how many milliseconds ago it was logged, and its JSON object
--@ returns: words:list<word>
--@ words: ok | late | stale | gone | malformed
--@ include: keys owned arguments type once log_lines told

-- Returns the job if this attempt was its last one.
local function ended(id, fence)
  local key, token = job_key(flow, id), fence .. ' ' .. worker_id .. ' '
  local job = redis.call('HMGET', key, '_attempt', '_lookups')
  if string.find(job[1] or '', token, 1, true) ~= 1 then return nil end
  return { key = key, id = id, lookups = job[2] }
end

local function write_progress()
  local words = {}
  while at <= #rest do
    local member, fence, progress, skipped, lines = take(), take(), take(), tonumber(take()), take_counted()
    local mine, word, id = owned(member, fence)
    local job = mine or (word == 'stale' and ended(id, fence))
    if job then
      word = mine and 'ok' or 'late'
      local log = flows_key('log', flow .. ':' .. id)
      expect('list', log)
      if mine and progress ~= '' then redis.call('HSET', job.key, '_progress', progress) end
      if #lines > 0 then
        write_lines(log, skipped, lines, word == 'late')
        keep_log(job, log)
      end
      if mine then told_of(job.key, 'processing') end
    end
    words[#words + 1] = word
  end
  tell()
  return words
end

return once(write_progress)

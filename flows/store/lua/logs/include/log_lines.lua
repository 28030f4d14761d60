-- Adds lines to a job's log, of which the last ones are kept, as long as the job itself.
--@ exports: write_lines keep_log
--@ needs: most_lines
--@ include: clock life

-- Returns the number of the last line; in a log that somebody else has written to, how many there are.
local function last_number(log)
  local last = redis.call('LINDEX', log, -1)
  return last and (tonumber(string.match(last, '^{"n":(%d+),')) or redis.call('LLEN', log)) or 0
end

-- Each line is how many milliseconds ago it was logged, and its JSON object.
local function write_lines(log, skipped, lines, late)
  local n, texts = last_number(log) + skipped, {}
  for i = 1, #lines, 2 do
    n = n + 1
    local head = string.format('{"n":%d,"at":%d,', n, time - lines[i])
    texts[#texts + 1] = head .. (late and '"late":true,' or '') .. string.sub(lines[i + 1], 2)
  end
  redis.call('RPUSH', log, unpack(texts))
  redis.call('LTRIM', log, -tonumber(most_lines), -1)
end

-- Lets the log live as long as its job: by a line of the hash, and from now on.
local function keep_log(job, log)
  local line = LOG_LINE .. job.id
  if not string.find('\n' .. (job.lookups or '') .. '\n', '\n' .. line .. '\n', 1, true) then
    redis.call('HSET', job.key, '_lookups', (job.lookups and job.lookups .. '\n' or '') .. line)
  end
  local left = redis.call('PTTL', job.key)
  if left == -1 then redis.call('PERSIST', log) else redis.call('PEXPIRE', log, left) end
end

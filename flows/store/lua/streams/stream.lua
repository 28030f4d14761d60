-- Writes text that running functions stream: pieces in a bounded stream beside each job, which lives as long as the job.
-- Answers a word per job; `conflict` where something else stands in the stream's place.
--@ keys: call
--@ args: now ns flow worker_id most_bytes
--@ rest: id, fence, how many bytes were skipped, then a counted list of pieces, JSON objects without their time
--@ returns: words:list<word>
--@ words: ok | stale | gone | malformed | conflict
--@ include: keys owned arguments once life clock

-- The id of an entry is the position of its first byte, from 1 on: so a gap shows, and so does what is to be dropped.
local function next_position(stream)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  if not last then return 1 end
  return tonumber(string.match(last[1], '^%d+')) + #(last[2][2] or ' ')
end

-- Returns the position behind the last piece.
local function write_pieces(stream, skipped, pieces)
  local position = next_position(stream) + skipped
  for i = 1, #pieces do
    local piece = '{"at":' .. now_text .. ',' .. string.sub(pieces[i], 2)
    redis.call('XADD', stream, string.format('%d-0', position), 'piece', piece)
    position = position + #piece
  end
  local oldest = position - tonumber(most_bytes)
  if oldest > 1 then redis.call('XTRIM', stream, 'MINID', string.format('%d', oldest)) end
  return position
end

-- Lets the stream live as long as its job: by a line of the hash, and from now on.
local function keep_stream(job, stream)
  local line = SIDE_LINE .. job.id .. ':stream'
  if not string.find('\n' .. (job.lookups or '') .. '\n', '\n' .. line .. '\n', 1, true) then
    redis.call('HSET', job.key, '_lookups', (job.lookups and job.lookups .. '\n' or '') .. line)
  end
  local left = redis.call('PTTL', job.key)
  if left == -1 then redis.call('PERSIST', stream) else redis.call('PEXPIRE', stream, left) end
end

local channels, positions = {}, {}

local function write_all()
  local words = {}
  while at <= #rest do
    local job, word = owned(take(), take())
    local skipped, pieces = tonumber(take()), take_counted()
    if job then
      local stream = job.key .. ':stream'
      local kind = redis.call('TYPE', stream).ok
      word = (kind == 'none' or kind == 'stream') and 'ok' or 'conflict'
      if word == 'ok' then
        channels[#channels + 1] = flows_key('streamed', flow .. ':' .. job.id)
        positions[#channels] = write_pieces(stream, skipped, pieces)
        keep_stream(job, stream)
      end
    end
    words[#words + 1] = word
  end
  return words
end

local answer = once(write_all)
for i = 1, #channels do redis.pcall('SPUBLISH', channels[i], string.format('%d', positions[i])) end
return answer

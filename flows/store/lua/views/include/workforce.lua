-- Reads who works on a queue, by what live processes have said of themselves, and how many of its jobs began lately.
--@ exports: tell_workforce
--@ needs: root
--@ include: clock keys

-- So many processes are asked how busy they are: those that were heard of last.
local ASKED = 100
-- So many full minutes of the queue's history are told.
local MINUTES = 6

local function process_key(name) return flows_key('process', root .. ':' .. name) end

-- Returns how many slots a process has for the queue and how many of them are taken, by its last heartbeat; then since
-- when the job runs that it has had longest, and its id. Whatever cannot be read is nil.
local function slots_of(text, queue)
  -- A quotation mark within a text of JSON has a backslash before it: what is found here is a key, or begins a row.
  local _, before = string.find(text, '"' .. queue .. '":{', 1, true)
  local part = before and string.match(text, '^[^}]*', before + 1) or ''
  local slots, busy = string.match(part, '"slots":(%d+)'), string.match(part, '"busy":(%d+)')
  local _, row = string.find(text, '["' .. queue .. '","', 1, true)
  local job_id, ran = string.match(text, '^([^"]*)",(%d+)%]', (row or #text) + 1)
  local came = string.match(text, '^{"at":(%d+)[,}]')
  return tonumber(slots), tonumber(busy), came and ran and tonumber(came) - tonumber(ran), job_id
end

-- Tells how many processes were asked and have said how busy they are, their slots, how many of these are taken, and what runs longest.
local function tell_slots(tell, queue, names)
  local keys, all, taken, said, oldest = {}, 0, 0, 0, nil
  for i, name in ipairs(names) do keys[i] = process_key(name) end
  for i, text in ipairs(redis.call('MGET', unpack(keys))) do
    local slots, busy, since, job_id = slots_of(text or '', queue)
    if slots and busy then
      said, all, taken = said + 1, all + slots, taken + math.min(busy, slots)
      if since and (not oldest or since < oldest[1]) then oldest = { since, names[i], job_id } end
    end
  end
  tell('asked', #names)
  tell('said', said)
  tell('slots', string.format('%.0f', all))
  tell('busy', string.format('%.0f', taken))
  if oldest then tell('oldest', string.format('%.0f %s %s', unpack(oldest))) end
end

-- Tells how many live processes have workers of the queue, how busy these are, and when the last one was heard of.
local function tell_processes(tell, queue)
  local workers = flows_key('workers', queue)
  local listed, live = redis.pcall('ZREVRANGE', workers, 0, ASKED - 1, 'WITHSCORES'), {}
  tell('serving', redis.pcall('ZCOUNT', workers, now_text, '+inf'))
  if not listed[1] then return end -- nor where the key holds something else
  for i = 1, #listed, 2 do
    if tonumber(listed[i + 1]) >= time then live[#live + 1] = listed[i] end
  end
  if live[1] then tell_slots(tell, queue, live) end
  local heartbeat = redis.pcall('GET', process_key(listed[1]))
  tell('heard', type(heartbeat) == 'string' and string.match(heartbeat, '^{"at":(%d+)[,}]') or listed[2])
end

-- Tells of the last full minutes of a queue what its history has, and how long ago each of them was.
local function tell_minutes(tell, queue)
  local minute, fields = math.floor(time / 60000), {}
  for ago = 1, MINUTES do fields[ago] = string.format('m%d', minute - ago) end
  for ago, text in ipairs(redis.pcall('HMGET', flows_key('stats', queue), unpack(fields))) do
    if text then tell('minute', ago .. ' ' .. text) end
  end
end

local function tell_workforce(tell, queue)
  tell_processes(tell, queue)
  tell_minutes(tell, queue)
end

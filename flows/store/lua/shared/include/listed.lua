-- Says how long the lists of a queue's ended jobs live: in a shared queue, as long as any of its flows keeps such jobs.
--@ exports: listed_for
--@ include: settings keys member

-- Returns how many milliseconds the list of jobs lives that have ended so in a queue.
local function listed_for(job_queue, word)
  local most = kept_of(word)
  local flows = redis.pcall('HGET', queue_key(job_queue, 'meta'), 'flows')
  for job_flow in string.gmatch(type(flows) == 'string' and flows or '', '%S+') do
    local kept = kept_by(job_flow, word)
    if kept and tonumber(kept) > tonumber(most) then most = kept end
  end
  return most
end

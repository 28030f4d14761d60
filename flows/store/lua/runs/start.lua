-- Starts runs, now or later, up to 200 a call: each once, by its id and by its key. Safe to send twice: what is there is
-- not written again. A run that cannot be written is refused before anything of it is.
-- Answers a word per run: for `existing` and `different` with the id of the run that has its key, for `conflict` with a
-- sentence that names what stands in its place.
--@ args: ns now root flow settings
--@ rest: the runs, as `take_run` reads them
--@ returns: answers:list<[word:word about?:text]>
--@ words: created | existing | different | conflict
--@ include: take_run start_run keys told

local answers = {}
while at <= #rest do
  local run = take_run()
  local answer = { 'created' }
  if redis.call('EXISTS', job_key(root, run.id)) == 0 then
    local wrong = start_conflict(run)
    local other, same = nil, false
    if not wrong then other, same = run_of_key(run) end
    if wrong then
      answer = { 'conflict', wrong }
    elseif other then
      answer = { same and 'existing' or 'different', other }
    else
      start_run(run)
    end
  end
  answers[#answers + 1] = answer
end
put_started()
tell()
return answers

-- Begins executions of task trees, each once, and starts the runs that work on them, in one step. Of one that had begun
-- before, the run is left to `start`. Answers as `begin_execution` does.
--@ args: ns now root flow settings
--@ rest: the executions, as `take_begin` reads them, each with its run behind it, as `take_run` reads that
--@ returns: answers:list<[word:word about:text revision:int]>
--@ words: begun | same | busy | moved | gone | tree | conflict
--@ include: begin_one take_run start_run keys told

-- Returns the answer.
local function start(one, run)
  local wrong = start_conflict(run)
  if wrong then return { 'conflict', wrong, 0 } end
  if redis.call('EXISTS', job_key(root, run.id)) == 0 then start_run(run) end
  return begin_one(one)
end

local answers = {}
while at <= #rest do
  local one, run = take_begin(), take_run()
  answers[#answers + 1] = cannot_begin(one) or start(one, run)
end
put_started()
tell()
return answers

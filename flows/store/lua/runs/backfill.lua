-- Starts the runs of slots of a schedule that are over, but for those that have run: what is kept of them says so.
-- They have ids of now, whatever their slots are, and do not count as the schedule's last run.
-- Answers a word for each slot, and the run that it has.
--@ keys: schedule fired call
--@ args: ns now root flow first settings seen_digest
--@ rest: of each slot the slot, and its run: as `take_run` reads it
--@ returns: word:word slots:list<[word:word run:text]>
--@ words: filled | changed | started | ran | early
--@ include: clock type told start_run start_slot once

expect('hash', schedule)
expect('hash', fired)
if redis.call('HGET', schedule, 'digest') ~= seen_digest then return { 'changed', {} } end
local runs = take_slots()
return once(function()
  local words = {}
  for i, run in ipairs(runs) do
    local before = run_of_slot(run.slot)
    if before then
      words[i] = { 'ran', before }
    elseif tonumber(run.slot) > time then
      words[i] = { 'early', '' }
    else
      start_slot(run)
      words[i] = { 'started', run.id }
    end
  end
  put_started()
  tell()
  return { 'filled', words }
end)

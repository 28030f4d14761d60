-- Cancels one job: at once where nobody works on it, else by a flag that its worker sees when it renews.
-- Answers the word, and 1 where children are to be cancelled.
--@ flags: allow-oom
--@ keys: call
--@ args: ns now root flow first id settings reason states ended_before
--@ returns: word:word more:int
--@ words: cancelled | requested | too late | gone | malformed | changed
--@ include: cancel_job once keys type count told asked

local cancelling = flows_key('cancelling', root)
expect('hash', cancelling)

return once(function()
  if not is_wanted(flow, id) then return { 'changed', 0 } end
  local word = cancel_job(flow, first, id, reason)
  write_counts()
  tell()
  -- Also of a job that was cancelled before, by a client that did not get to all of its children.
  return { word, redis.call('HEXISTS', cancelling, flow .. ':' .. id) }
end)

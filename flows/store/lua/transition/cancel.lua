-- Ends a job as cancelled, from any state in which it is not yet over.
--@ include: keys status ending fragment

-- `from` is the job's state; the caller has taken it out of that state's structure.
local function cancel(id, key, from, lookups, parent, reason)
  end_job(flow, id, key, from, 'cancelled', lookups, parent, parent and word_fragment(id, 'cancelled'),
    '_reason', reason)
end

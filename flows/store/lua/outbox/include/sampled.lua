-- Says whether a sample of the jobs that are done is listed: not where the log of endings names them all.
--@ exports: is_sampled
--@ include: outbox_lines

local function is_sampled() return most_entries == 0 end

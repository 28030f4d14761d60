-- In a queue without rules every job that waits may start: nothing stands here. The turn of a queue with rules has a
-- table of functions in its place, from the overlay `ruled`.
--@ exports: ruled

local ruled = nil

-- Whether another worker is to wake for a job that was snoozed: the job does not fit the class of this one.
--@ exports: for_others

local for_others = { wakes = false }

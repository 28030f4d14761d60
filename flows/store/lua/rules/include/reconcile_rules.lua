-- Reconciles what a queue with rules keeps beside its jobs: slots that no running job holds, groups that take no part,
-- windows that are over, how many wait in groups, and a layout that is wider than the queue needs.
--@ exports: extra_places reconcile_extra
--@ include: rules reconcile_slots reconcile_groups reconcile_windows reconcile_layouts

-- The parts of a queue's pass, before all jobs are looked at and after that: each takes a cursor, and returns the next
-- one, or nothing at its end.
local PARTS = {
  slots = reconcile_slots, parked = reconcile_parked, windows = reconcile_windows, counts = reconcile_counts,
  layout = reconcile_layout,
}
local BEFORE_JOBS, AFTER_JOBS = { 'slots', 'parked', 'windows' }, { 'counts', 'layout' }

local function extra_places(job_queue, after_jobs)
  if not RULES[job_queue] then return {} end
  return after_jobs and AFTER_JOBS or BEFORE_JOBS
end

local function reconcile_extra(name, job_queue, cursor) return PARTS[name](job_queue, cursor) end

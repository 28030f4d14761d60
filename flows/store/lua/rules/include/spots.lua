-- Names the lists in which the jobs of a ruled queue wait, and says which of them is a job's own.
-- A band is the list of a priority; a group the value of the field by which the queue groups its jobs.
--@ exports: band_list ring_of group_lists group_list fair_of parked_of place_of spot_of
--@ args: root
--@ include: keys rules member

-- Longer values are named by their digests.
local MOST_BYTES = 200

local function band_list(job_queue, band) return queue_key(job_queue, band == 1 and 'waiting' or 'waiting:' .. band) end

-- The groups of a band whose turn comes: each by its virtual time.
local function ring_of(job_queue, band) return flows_key('ring', job_queue .. '/' .. band) end

-- What the keys of the lists of a band's groups begin with; then comes the group.
local function group_lists(job_queue, band) return flows_key('group', job_queue .. '/' .. band .. '/') end

local function group_list(job_queue, band, group) return group_lists(job_queue, band) .. group end

-- Counts of a queue: `n<band>` is how many ids stand in the lists of its groups.
local function fair_of(job_queue) return flows_key('fair', job_queue) end

-- Groups whose turn cannot come yet, as `<band>/<group>`.
local function parked_of(job_queue) return flows_key('parked', job_queue) end

-- Returns band and group of a job with this priority and this value of the queue's field, JSON; '' is the group of none.
local function place_of(job_queue, of_job, value)
  local rule = RULES[job_queue]
  local band = math.floor(tonumber(of_job) or 1)
  band = band > 1 and math.min(band, rule.priorities) or 1
  if not (rule.group and value) or value == 'null' then return band, '' end
  return band, #value > MOST_BYTES and redis.sha1hex(value) or value
end

-- Returns band and group of a job of a ruled queue, by its hash.
local function spot_of(job_queue, member)
  local job_flow = string.find(job_queue, ':', 1, true) and job_queue or root
  local job = redis.pcall('HMGET', job_key(flow_and_id(job_flow, member)), '_priority', RULES[job_queue].group or '_priority')
  if job.err then return 1, '' end
  return place_of(job_queue, job[1], job[2])
end

-- Removes ids from where they wait in a queue, when their jobs are ended or moved from outside.
--@ exports: READS_HASHES search_length remove_many
--@ include: keys cut

-- Whether the hashes of jobs say where they wait, and so have to stay until the jobs are removed.
local READS_HASHES = false

local function list_of(job_queue) return queue_key(job_queue, 'waiting') end

-- Returns how many ids are searched to remove some.
local function search_length(job_queue) return short_length(list_of(job_queue)) end

local function remove_many(job_queue, ids) cut(job_queue, list_of(job_queue), ids) end

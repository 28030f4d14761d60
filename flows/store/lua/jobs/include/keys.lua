-- Makes the keys that scripts use, all from the namespace `ns` that the caller passes.
--@ exports: job_key queue_key flows_key split
--@ needs: ns

local prefixes = {}

local function job_key(job_flow, job_id)
  local prefix = prefixes[job_flow]
  if not prefix then
    prefix = ns .. 'job:' .. job_flow .. ':'
    prefixes[job_flow] = prefix
  end
  return prefix .. job_id
end

local function queue_key(job_queue, place) return ns .. 'queue:' .. job_queue .. ':' .. place end

local function flows_key(kind, name) return ns .. 'flows:' .. kind .. ':' .. name end

-- Splits `<flow>:<id>`, or a child queue's name into its parent's and its own.
local function split(name) return string.match(name, '^(.*):([^:]*)$') end

-- The keys that are made inside scripts, all from the namespace `ns` that the caller passes.
--@ exports: job_key queue_key flows_key split
--@ needs: ns

local prefixes = {}

local function job_key(flow, id)
  local prefix = prefixes[flow]
  if not prefix then
    prefix = ns .. 'job:' .. flow .. ':'
    prefixes[flow] = prefix
  end
  return prefix .. id
end

local function queue_key(queue, stage) return ns .. 'queue:' .. queue .. ':' .. stage end

local function flows_key(kind, name) return ns .. 'flows:' .. kind .. ':' .. name end

-- Splits `<flow>:<id>`, or a child queue's name into its parent's and its own.
local function split(name) return string.match(name, '^(.*):([^:]*)$') end

-- A key for which one job is created, as long as that is kept: a later call with the same params gets its id.
--@ exports: existing
--@ include: holder

local UNDERSCORE = 95

--@ lazy

-- Returns the answer to a call whose key has a job, or nothing. Params are compared as texts: the kernel's own fields
-- differ from call to call, as what is carried does.
local function existing(job)
  local names, values = { '_status' }, {}
  for i = 1, #job.fields, 2 do
    if string.byte(job.fields[i]) ~= UNDERSCORE then
      names[#names + 1] = job.fields[i]
      values[#names] = job.fields[i + 1]
    end
  end
  local id, found = holder(job.lookups, unpack(names))
  if not id then return nil end
  for i = 2, #names do
    if found[i] ~= values[i] then return { 'different', id } end
  end
  return { 'existing', id }
end

-- Acts on many jobs, each by itself: where one meets an error, the others are acted on all the same, and what was
-- gathered for all of them is written.
--@ exports: each_job work_on
--@ needs: flow rest at
--@ include: cut member once count told

-- A call does so much work, more or less: a unit is an id of a list that is searched, some ten nanoseconds.
local MOST_WORK = 500000
-- What is gathered is written after so many jobs, and how much work that was is known then.
local TOGETHER = 20

local work = 0

-- Says how much more work than the usual something was.
local function work_on(units) work = work + units end

-- Calls `act` for each id that was given, until it is enough for one call: it returns a word and, where there are some,
-- names for the caller. `flush` writes what was gathered. Answers the words, `later` for ids that were not come to; the
-- names; and what the errors say.
local function each_job(act, flush)
  return once(function()
    local words, names, errors = {}, {}, {}
    for i = at, #rest do
      local done, word, more = true, 'later', nil
      if work + ids_searched() < MOST_WORK then
        take_times(flow) -- of a job before, the parent's may have been taken
        done, word, more = pcall(act, rest[i])
      end
      if not done then
        errors[#errors + 1] = type(word) == 'table' and word.err or tostring(word)
        word = 'error'
      end
      words[#words + 1] = word
      for _, name in ipairs(done and more or {}) do names[#names + 1] = name end
      if #words % TOGETHER == 0 then flush() end
    end
    flush()
    write_counts()
    tell()
    return { words, names, errors }
  end)
end

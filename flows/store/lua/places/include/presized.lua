-- Makes lists that get their size at once. One that grows entry by entry is moved each time that it doubles, and from
-- 64 entries on each move makes the server's allocator put all its small pieces together.
--@ exports: presized cut_list

-- Returns a list of `n` entries, up to 1,000, that hold anything and are to be written over.
local function presized(n) return { string.byte(string.rep('-', n), 1, n) } end

-- Cuts the entries behind the first `n`.
local function cut_list(list, n)
  for i = #list, n + 1, -1 do list[i] = nil end
end

"""Guards of the scripts of queues with rules that can go without anybody seeing it, each with its reason."""

from __future__ import annotations

from typing import Final

#: As in `excused.py`.
EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    (
        "rules/include/push.lua",
        "was_empty",
        "if true then begun[#begun + 1] = group end",
    ): "asks of a group that takes part, or is parked, whether it does",
    (
        "rules/include/place.lua",
        "#ids == 1",
        "if false then",
    ): "the slower of two ways to the same list",
    (
        "rules/include/place.lua",
        "not rule or rule.flat",
        "if not rule then",
    ): "reads of a job by what it is placed where there is one list",
    (
        "rules/include/place.lua",
        "not rule or rule.flat",
        "if not rule then return n end",
    ): "adds up nothing",
    (
        "rules/include/find_groups.lua",
        "GROUPS = 20",
        "local GROUPS, CHUNK = 100000000, 100",
    ): "reads more groups at once than it looks at",
    (
        "rules/include/find_groups.lua",
        "CHUNK = 100",
        "local GROUPS, CHUNK = 20, 100000000",
    ): "reads more ids of a group at once than it looks at",
    (
        "rules/include/find_groups.lua",
        "group and redis.pcall('ZSCORE', source, group)",
        "if redis.pcall('ZSCORE', source, group) then group = nil end",
    ): "asks for a group that is none, and is refused",
    (
        "rules/include/find_groups.lua",
        "group and group ~= ''",
        "if group ~= '' then groups[#groups + 1] = group end",
    ): "adds nothing to a list",
    (
        "rules/include/find_groups.lua",
        "group and group ~= ''",
        "if true then groups[#groups + 1] = group end",
    ): "reads a list of groups that never is there",
    (
        "rules/include/find_groups.lua",
        "group and group ~= ''",
        "if group then groups[#groups + 1] = group end",
    ): "reads a list of groups that never is there",
    (
        "rules/include/find_groups.lua",
        "ids.err and {} or ids",
        "return ids",
    ): "an error has no elements",
    (
        "rules/include/find_groups.lua",
        "at_id == '-' or at_id == ''",
        "if at_id == '' then return 0 end",
    ): "looks for an id that is none",
    (
        "rules/include/find_groups.lua",
        "at_id == '-' or at_id == ''",
        "if at_id == '-' then return 0 end",
    ): "looks for an id that is none",
    (
        "rules/include/find_groups.lua",
        "at_id == '-' or at_id == ''",
        "if false then return 0 end",
    ): "looks for an id that is none",
    (
        "rules/include/find_groups.lua",
        "redis.pcall('LINDEX', list, index) == at_id",
        "if false then return index + 1 end",
    ): "searches for an id whose place is known",
    (
        "rules/include/find_groups.lua",
        "redis.pcall('LPOS', list, at_id, 'MAXLEN', 10000)",
        "local now_at = redis.pcall('LPOS', list, at_id, 'MAXLEN', 100000000)",
    ): "searches a longer list to its end",
    (
        "rules/include/find_groups.lua",
        "group == resumed and index_in(group) or 0",
        "local index = index_in(group)",
    ): "looks for an id in lists in which it does not stand",
    ("ruled/include/pick.lua", "CHARGED and not kept", "if not kept then charge(ruled.cost) end"): "charges nothing",
    ("ruled/include/pick.lua", "CHARGED", "if true then"): "writes nothing",
    (
        "ruled/include/pick.lua",
        "SLOTTED",
        "if true then kept, kept_start = resumed.next() end",
    ): "asks for kept slots where there are none",
    (
        "ruled/include/pick.lua",
        "LIMITED or SLOTTED",
        "if true then start = open_at(kept) end",
    ): "asks of a queue without limits and slots when it is open: now",
    (
        "ruled/include/pick.lua",
        "rule.group",
        "if true then unpark() end",
    ): "looks for parked groups of a queue without any",
    (
        "ruled/include/ring.lua",
        "MOST_HEADS = 100",
        "local MOST_HEADS = 100000000",
    ): "reads more groups at once",
    (
        "ruled/include/ring.lua",
        "not known[group]",
        "if true then",
    ): "asks again what is known",
    (
        "ruled/include/ring.lua",
        "#missing == 0",
        "if false then return end",
    ): "asks for no shares",
    (
        "ruled/include/ring.lua",
        "redis.call('EXISTS', key) == 0",
        "if false then return end",
    ): "asks a hash that is not there",
    (
        "ruled/include/ring.lua",
        "at_ms == NEVER and '+inf' or at_ms",
        "parked[#parked + 1], parked[#parked + 2] = at_ms, ring.band .. '/' .. group",
    ): "Lua writes `inf`, which servers read too",
    (
        "ruled/include/ring.lua",
        "#groups == 0",
        "if false then return end",
    ): "asks for no groups",
    (
        "ruled/include/ring.lua",
        "COUNTED",
        "if false then",
    ): "reads groups one by one",
    (
        "ruled/include/ring.lua",
        "COUNTED",
        "if true then",
    ): "asks for limits where there are none",
    (
        "ruled/include/ring.lua",
        "COUNTED and group ~= ''",
        "if group ~= '' then at_ms = has_slots(group, 1) and group_ready(group, 1) or NEVER end",
    ): "asks for limits where there are none",
    (
        "ruled/include/ring.lua",
        "COUNTED and group ~= ''",
        "if COUNTED then at_ms = has_slots(group, 1) and group_ready(group, 1) or NEVER end",
    ): "asks for the limits of no group, which has none",
    (
        "ruled/include/ring.lua",
        "joins ~= ring.joins",
        "if true then",
    ): "asks for lists to which no job was put",
    (
        "ruled/include/ring.lua",
        "#ring.left > 0",
        "if true then let_go(ring) end",
    ): "takes nothing out",
    (
        "ruled/include/ring.lua",
        "#ring.left == 0",
        "if false then ring.joins = joins end",
    ): "asks for lists to which no job was put",
    (
        "ruled/include/ring.lua",
        "wanted < 4 and 4 or wanted < MOST_HEADS and wanted or MOST_HEADS",
        "local many = 4",
    ): "reads fewer groups at once",
    (
        "ruled/include/ring.lua",
        "wanted < MOST_HEADS and wanted",
        "local many = wanted < 4 and 4 or wanted or MOST_HEADS",
    ): "reads more groups at once",
    (
        "ruled/include/ring.lua",
        "COUNTED and group ~= ''",
        "if true then at_ms = has_slots(group, 1) and group_ready(group, 1) or NEVER end",
    ): "asks for limits where there are none",
    (
        "ruled/include/ring.lua",
        "groups >= wanted and 1 or math.ceil(wanted / groups)",
        "return group, at_ms, 1",
    ): "reads ids one by one",
    (
        "ruled/include/ring.lua",
        "groups >= wanted and 1 or math.ceil(wanted / groups)",
        "return group, at_ms, math.ceil(wanted / groups)",
    ): "the slower of two ways to 1",
    (
        "ruled/include/window.lua",
        "interval > hash.interval",
        "if true then fields[#fields + 1], fields[#fields + 2] = '', interval end",
    ): "writes again what is there",
    (
        "ruled/include/window.lua",
        "text",
        "if true then known, entries, used, next_at = pcall(parse, text) end",
    ): "of no text nothing is read, as of nonsense",
    (
        "ruled/include/window.lua",
        "window.ready_cost == cost",
        "if false then return window.ready end",
    ): "reckons again what is known",
    (
        "ruled/include/window.lua",
        "not more",
        "if true then window.ready_cost = 0 end",
    ): "reckons again what is known",
    (
        "ruled/include/window.lua",
        "cost < most and most - cost or 0",
        "local room = most - cost",
    ): "no window holds less than nothing",
    (
        "ruled/include/window.lua",
        "last == from or (last and from - last < part and math.floor(last / part) == math.floor(from / part))",
        "local together = (last and from - last < part and math.floor(last / part) == math.floor(from / part))",
    ): "the slower of two ways",
    (
        "ruled/include/window.lua",
        "last and from - last < part and math.floor(last / part) == math.floor(from / part)",
        "local together = last == from or (last and math.floor(last / part) == math.floor(from / part))",
    ): "the slower of two ways",
    (
        "ruled/include/window.lua",
        "not window.changed",
        "if true then",
    ): "writes a window twice",
    (
        "ruled/include/window.lua",
        "window.first == 1 and entries or { unpack(entries, window.first) }",
        "local kept = { unpack(entries, window.first) }",
    ): "copies a list of which all is kept",
    (
        "ruled/include/limits.lua",
        "#missing == 0",
        "if false then return end",
    ): "asks for no groups",
    (
        "ruled/include/limits.lua",
        "not read[group]",
        "if true then read_group_limits({ group }) end",
    ): "asks again what is known",
    (
        "ruled/include/slots.lua",
        "not loads[group]",
        "if true then read_loads({ group }) end",
    ): "asks again what is known",
    (
        "ruled/include/slots.lua",
        "cost == 1",
        "if false then return 1 end",
    ): "the slower of two ways to the same",
    (
        "ruled/include/slots.lua",
        "cost == 1 and loads[group]",
        "if false then return loads[group] < most_of[group] end",
    ): "the slower of two ways to the same",
    (
        "ruled/include/slots.lua",
        "cost == 1 and 1 or slots_of(group, cost)",
        "local taken, load = slots_of(group, cost), loads[group]",
    ): "the slower of two ways to the same",
    (
        "ruled/include/slots.lua",
        "taken == 1 and '1 ' or string.format('%d ', taken)",
        "held[#held + 1], held[#held + 2] = job_id, (string.format('%d ', taken)) .. group",
    ): "the slower of two ways to the same",
}

"""Guards of the scripts that can go without anybody seeing it, each with its reason: `make mutants` excuses them."""

from __future__ import annotations

from typing import Final

from tests.faults import excused_rules

#: Guards whose absence nobody can see, and why: the file (see `short_name`), the guard, and the line without it.
EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    **excused_rules.EQUIVALENT,
    ("include/reconcile_jobs.lua", "#jobs < MANY", "if false then"): "the quicker of two ways to the same answer",
    ("include/reconcile_jobs.lua", "#jobs < MANY", "if true then"): "the quicker of two ways to the same answer",
    (
        "include/cancel_job.lua",
        "set_aside and status == 'waiting'",
        "if false then set_aside(queue, member) else take_out(member, key, status, queue) end",
    ): "the slower of two ways: the list is searched for each child instead of once for all",
    ("create.lua", "job.old", "if true then redis.call('DEL', job.key) end"): "deletes a hash that is not there",
    (
        "include/each_job.lua",
        "type(word) == 'table' and word.err or tostring(word)",
        "errors[#errors + 1] = tostring(word)",
    ): "errors of Valkey have a text of their own, those of Redis are plain tables",
    ("include/asked.lua", "states == ''", "if false then return true end"): "reads a state that nobody asks for",
    ("include/cut.lua", "MANY = 16", "local MANY = 100000000"): "the slower of two ways to the same list",
    (
        "include/cut.lua",
        "apart and #ids >= MANY",
        "if #ids >= MANY then blank(list, gone, 0, -1) end",
    ): "goes over a list once more in which all were found",
    ("include/cut.lua", "PASS = 20", "local FEW, PASS = 4, 100000000"): "leaves more to the next call",
    ("include/status.lua", "known[from] ~= to", "if true then"): "looks the same move up again",
    (
        "include/life.lua",
        "redis.call('LRANGE', list, 0, 2)",
        "ids = redis.call('LRANGE', list, 0, 100000000)",
    ): "reads more ids than it asks for",
    (
        "include/life.lua",
        "redis.pcall('LRANGE', list, 0, 2)",
        "if not own then trim(job_flow, list, redis.pcall('LRANGE', list, 0, 100000000)) end",
    ): "reads more ids than it asks for",
    (
        "include/life.lua",
        "redis.pcall('LRANGE', key, 0, 2)",
        "local ids = redis.pcall('LRANGE', key, 0, 100000000)",
    ): "reads more ids than it asks for",
    ("include/type.lua", "checked[key]", "if false then return nil end"): "asks for the type of a key again",
    (
        "transition/finish.lua",
        "job.parent and done_result(job.id, result)",
        "done_result(job.id, result), take_up_to(after))",
    ): "makes a text that nobody reads",
    (
        "transition/claim.lua",
        "refresh(flow, key, job[4], held_ttl) or bytes > 0 or redis.call('EXISTS', key) == 1",
        "local there = refresh(flow, key, job[4], held_ttl) or redis.call('EXISTS', key) == 1",
    ): "asks whether a job is there whose fields were just read",
    (
        "transition/claim.lua",
        "status == 'waiting' or is_state(status)",
        "local known = is_state(status)",
    ): "looks for the usual state in the text of all",
    ("transition/claim.lua", "job[3]", "if true then"): "puts together what a new job's field is known to be",
    ("include/attempt.lua", "not text", "if true then"): "writes a number again",
    (
        "outbox/include/outbox.lua",
        "not new_id",
        "if true then new_id, told = report_id(job_id, values[1]), ending_of(job_id, word, values, kind) end",
    ): "makes what a report says anew for each reporter",
    ("count_endings.lua", "PAGE = 500", "local PAGE = 100000000"): "reads at once what it reads in parts",
    ("outbox/include/trim_endings.lua", "MOST = 10000", "local MOST = 100000000"): "drops at once what goes in parts",
    ("outbox/include/outbox.lua", "not streams[kind]", "if true then"): "asks again for the log of a type of errors",
    (
        "include/end_attempts.lua",
        "verb == 'finish' and rest[after - 2] ~= '+lookups'",
        "if false then",
    ): "goes the way of the seldom outcomes",
    (
        "include/end_attempts.lua",
        "verb == 'advance' and not job.cancel and not place_conflict(rest[at])",
        "elseif false then",
    ): "goes the way of the seldom outcomes",
    ("include/owned.lua", "not token", "if true then"): "puts a token together again",
    (
        "include/pick.lua",
        "used > 0",
        "if true then redis.call('LTRIM', waiting, used, -1) end",
    ): "cuts nothing off a list",
    (
        "include/count.lua",
        "word == 'failed' or word == 'cancelled'",
        "if true then redis.pcall('ZREM', ended_key(job_queue, word), job_id) end",
    ): "asks a list for what only sorted sets have, and is refused",
    (
        "include/count.lua",
        "redis.pcall('LTRIM', key, 0, LEAST_DONE - 1)",
        "if type(length) == 'number' and length > MOST_DONE then redis.call('LTRIM', key, 0, LEAST_DONE - 1) end",
    ): "an account that may not trim a list cannot claim either",
    (
        "include/count.lua",
        "redis.pcall('PEXPIRE', key, kept)",
        "redis.call('PEXPIRE', key, kept)",
    ): "an account that may not set a time to live can end nothing",
    ("include/pick.lua", "used > n", "if true then"): "goes through counts that are all 0",
    (
        "include/ending.lua",
        "status ~= 'children' and (type(status) == 'table' or redis.call('EXISTS', key) == 0)",
        "if (type(status) == 'table' or redis.call('EXISTS', key) == 0) then",
    ): "asks whether a parent is there whose state was just read",
    (
        "include/told.lua",
        "heard[job_flow] == nil",
        "if true then",
    ): "asks for each job what is asked for its flow",
    ("shared/include/member.lua", "not found", "if true then"): "reads again what a flow says of its queues",
    (
        "shared/include/member.lua",
        "string.find(job_queue, ':', 1, true) or not line_of(job_flow, job_queue)",
        "if not line_of(job_flow, job_queue) then return job_id end",
    ): "asks for what no flow says of a child queue",
    (
        "shared/include/member.lua",
        "string.find(job_flow, ':', 1, true) and root or job_flow",
        "local of = job_flow",
    ): "asks for the settings of a child queue's flow, which has none, so that the caller's times count",
    ("shared/include/member.lua", "of == taken", "if false then return end"): "takes the same times again",
    (
        "transition/await_children.lua",
        "#built > 0",
        "if false then return end",
    ): "asks and unsets what is not there yet",
    (
        "find.lua",
        "job_flow ~= flow or #job_id ~= 36 or not in_time(wanted, job_id)",
        "if job_flow ~= flow or #job_id ~= 36 then return nil end",
    ): "reads the hash of a job whose id says already that it does not fit",
    (
        "include/reconcile_lookups.lua",
        "REACH = 50000",
        "local REACH, MOST_BLANKS = 100000000, 1000",
    ): "takes out what is far inside too, which only takes longer",
    (
        "include/reconcile_lookups.lua",
        "math.min(index, length - index)",
        "local function spend_on_reach(index, length) spend(length - index / 160000) end",
    ): "reckons a way as longer than it is",
    (
        "include/reconcile_lookups.lua",
        "is_head",
        "elseif false then",
    ): "the slower of two ways: what is gone at the head is blanked first",
    (
        "include/reconcile_lookups.lua",
        "id ~= ''",
        "if true then",
    ): "blanks a blank again",
    (
        "include/reconcile_lookups.lua",
        "index < REACH",
        "if true then blanks = blanks + 1 end",
    ): "takes out what is far inside too, which only takes longer",
    (
        "include/reconcile_lookups.lua",
        "heads > 0",
        "if true then redis.call('LTRIM', list, heads, -1) end",
    ): "cuts nothing off a list",
    (
        "include/reconcile_lookups.lua",
        "blanks > 0 and (ends or blanks >= MOST_BLANKS)",
        "if (ends or blanks >= MOST_BLANKS) then",
    ): "a pass that takes nothing out",
    (
        "include/reconcile_lookups.lua",
        "math.min(next_index, REACH)",
        "next_index = next_index - take_blanks(list, blanks, REACH)",
    ): "reckons a way as longer than it is",
    (
        "find.lua",
        "not job[1] and redis.call('EXISTS', key) == 0",
        "if redis.call('EXISTS', key) == 0 then return nil end",
    ): "asks whether a job is there whose state was just read",
    (
        "include/halve.lua",
        "time_of == created_at and in_order(ids)",
        "if false then return 0 end",
    ): "the slower of two ways to the same answer",
    (
        "include/place_in_list.lua",
        (
            "look(list, member, guess, NEAR) or look(list, member, guess, FAR)"
            " or redis.call('LPOS', list, member, 'MAXLEN', ENDS)"
            " or redis.call('LPOS', list, member, 'RANK', -1, 'MAXLEN', ENDS)"
        ),
        "local place = look(list, member, guess, FAR)",
    ): "reads more ids than it asks for",
    ("include/stats.lua", "follows", "if false then"): "the slower of two ways to drop what is too old",
    ("runs/cascade.lua", "cursor or '0'", "cursor, settled = deliver(name, '0')"): "who was told is no waiter any more",
    (
        "runs/cascade.lua",
        "cursor == '0' or settled > 0",
        "if settled > 0 then break end",
    ): "looks through all once more",
    (
        "runs/cascade.lua",
        "redis.pcall('HGET', side, index)",
        "local id = redis.call('HGET', side, index)",
    ): "of what is no hash there is no total",
    (
        "runs/cascade.lua",
        "type(id) == 'string' and string.sub(id, 1, 1) ~= '{'",
        "if type(id) == 'string' then",
    ): "asks for a run that is called like a result",
    ("include/begin_one.lua", "redis.call('PERSIST', one.key) == 1", "if true then"): "keys that stay are told to stay",
    (
        "drop_tasks.lua",
        "math.max(1, last - MOST_LINES + 1)",
        "for n = last - MOST_LINES + 1, last do lines[#lines + 1] = string.format('%s %d', path, n) end",
    ): "names lines that never were there",
    (
        "log_task.lua",
        "last > most",
        "if true then old[#old + 1] = string.format('%s %d', path, last - most) end",
    ): "drops lines that never were there",
    (
        "index_instances.lua",
        "app == one.app and realm == one.realm",
        "if false then return end",
    ): "takes out of lists what is put back next",
    ("index_instances.lua", "not places[name]", "if true then"): "makes the names of lists anew for each row",
    ("delete_schedule.lua", "app and app ~= ''", "if app then"): "asks what the app without a name declares: nothing",
    (
        "see_schedules.lua",
        "not heir or heir == app or not declared_by(heir, id)",
        "if not heir or not declared_by(heir, id) then return false end",
    ): "an app is asked for what it has just been found not to declare",
    (
        "see_schedules.lua",
        "how == 'seen' and seen == 'kept'",
        "if seen == 'kept' then listed[id] = nil end",
    ): "writes again that it is kept",
    ("runs/fire.lua", "other ~= queue and other ~= ''", "if other ~= queue then"): "asks for a queue without a name",
    (
        "runs/fire.lua",
        "waiting_behind or queued(last, MOST_QUEUED)",
        "waiting_behind = queued(last, MOST_QUEUED)",
    ): "counts again how many wait",
}

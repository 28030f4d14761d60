"""The words that scripts answer: one type a script, which a test compares with the script's header (`--@ words:`)."""

from __future__ import annotations

from typing import Literal, TypeAlias

#: What became of an attempt that was reported: ended with its outcome, cancelled instead, `undoing` of a run that is to
#: be cancelled and has something to undo first, or why it was refused.
TurnAnswer: TypeAlias = Literal["ok", "cancelled", "undoing", "stale", "gone", "malformed"]
ReportAnswer: TypeAlias = TurnAnswer
#: What became of a lease: it goes on, it goes on and the job is to be cancelled, or why it is lost.
RenewAnswer: TypeAlias = Literal["kept", "cancel", "stale", "gone", "malformed"]
#: What became of a job whose lease was over, or of an id that had no lease.
RescueAnswer: TypeAlias = Literal["rescued", "poison", "cancelled", "undoing", "expired", "malformed", "misplaced"]
#: What became of children that were written, or published into their queues: `built` says that all had been before.
BuildAnswer: TypeAlias = Literal["ok", "built", "stale", "gone", "malformed"]
PublishAnswer: TypeAlias = Literal["ok", "stale", "gone", "malformed"]
#: Whether what a function has reported was written, `late` its lines alone since its attempt has ended, or why not.
ProgressAnswer: TypeAlias = Literal["ok", "late", "stale", "gone", "malformed"]
#: Whether a line was added to the log of a job.
AddLineAnswer: TypeAlias = Literal["ok", "gone", "malformed"]
#: The same of text that a function has streamed; `conflict` where something else stands in the place of its stream.
StreamAnswer: TypeAlias = Literal["ok", "stale", "gone", "malformed", "conflict"]
#: `changed`, only where many are acted on: it is none of those that were asked for any more.
CancelAnswer: TypeAlias = Literal["cancelled", "requested", "too late", "gone", "malformed", "changed"]
#: `cancelling` asks to cancel its children first; else it is a state that is not retried.
RetryJobAnswer: TypeAlias = Literal[
    "retried", "gone", "changed", "cancelling", "waiting", "delayed", "processing", "children", "done"
]
#: `conflict` where one of its keys holds something else; the rest where another job has the key that it is to have:
#: that has the same params, others, keeps this one out, or has got the new params.
CreateAnswer: TypeAlias = Literal["created", "conflict", "existing", "different", "duplicate", "debounced"]
#: `over` where the time until when it was to be paused has passed.
PauseAnswer: TypeAlias = Literal["paused", "over", "resumed", "not paused"]
#: `there` where it is in that queue already, `child` where it is a child's; else as that of `retry_job`.
MoveAnswer: TypeAlias = Literal[
    "moved", "gone", "changed", "there", "child", "cancelling", "processing", "children", "done"
]
MoveEditedAnswer: TypeAlias = MoveAnswer
DeleteAnswer: TypeAlias = Literal["deleted", "gone", "changed"]
#: Of each of many jobs, as of one alone; `later` where one call was enough before it came to the job, `error` where one
#: kept it from acting.
CancelJobsAnswer: TypeAlias = Literal[CancelAnswer, "later", "error"]
RetryJobsAnswer: TypeAlias = Literal[RetryJobAnswer, "later", "error"]
MoveJobsAnswer: TypeAlias = Literal[MoveAnswer, "later", "error"]
DeleteJobsAnswer: TypeAlias = Literal[DeleteAnswer, "later", "error"]
#: `withdrawn`, or the state of a job that a worker has claimed.
WithdrawAnswer: TypeAlias = Literal[
    "withdrawn", "waiting", "delayed", "processing", "children", "done", "failed", "cancelled"
]
#: Whether the server's history is the one in which our keys were seen last; `unknown` where it does not say.
GreetAnswer: TypeAlias = Literal["known", "first", "another", "unknown"]
RegisterAnswer: TypeAlias = Literal["ok", "taken"]
#: What became of a declaration; `wanted` asks for its text, `conflict` says that its key holds another type.
DeclareAnswer: TypeAlias = Literal["known", "wanted", "written", "conflict"]
#: The same of what an app defines.
SyncAnswer: TypeAlias = DeclareAnswer
#: What became of a heartbeat: it counts, it did already, it counts and the declaration is gone, its process left.
HeartbeatAnswer: TypeAlias = Literal["beat", "asked", "again", "undeclared", "left"]
#: Whether a process is there to be asked for its stacks, and has told them.
AskStacksAnswer: TypeAlias = Literal["asked", "gone"]
TellStacksAnswer: TypeAlias = Literal["told"]
#: What became of an introduction to the reconcilers.
IntroduceAnswer: TypeAlias = Literal["ok"]
#: What the reconciler repaired; `error` where that failed.
ReconcileAnswer: TypeAlias = Literal[
    "gone",
    "misplaced",
    "lease",
    "settled",
    "joined",
    "pending",
    "placed_waiting",
    "placed_processing",
    "placed_delayed",
    "placed_children",
    "lifetime",
    "malformed",
    "slot",
    "ring",
    "counted",
    "error",
]
#: `no group` where a job has no value of the field by which its queue is grouped.
HoldAnswer: TypeAlias = Literal["held", "ended", "no group"]
SetLiveAnswer: TypeAlias = Literal["set"]
#: `same` where the job has that priority; else a state in which it waits no more.
SetPriorityAnswer: TypeAlias = Literal["set", "same", "gone", "processing", "children", "done", "failed", "cancelled"]
#: Of each schedule: new or edited, as it was, or another's.
SetSchedulesAnswer: TypeAlias = Literal["written", "unchanged", "taken"]
PauseScheduleAnswer: TypeAlias = Literal["paused", "was paused", "resumed", "not paused", "gone"]
#: `declared` by the code of an app, whose workers would write it again.
DeleteScheduleAnswer: TypeAlias = Literal["deleted", "gone", "declared"]
#: `same`: it had begun before; `moved`: the instance has another revision; `tree`: its tree is another one, and has to
#: be sent; `conflict`: something else stands in the place of a key.
BeginExecutionAnswer: TypeAlias = Literal["begun", "same", "busy", "moved", "gone", "tree", "conflict"]
#: `there`: the instance is, or the one that has its key; `conflict`: something else stands in the place of a key.
CreateInstanceAnswer: TypeAlias = Literal["there", "conflict"]
#: `stale` where another attempt or execution has the instance; `conflict` where something else stands in its place.
WriteTasksAnswer: TypeAlias = Literal["ok", "stale", "conflict"]
ChangeInstanceAnswer: TypeAlias = Literal["changed", "moved", "busy", "gone"]
DeleteInstanceAnswer: TypeAlias = Literal["deleted", "gone"]
#: `moved` where the tenant has another revision than was seen.
ChangeTenantAnswer: TypeAlias = Literal["changed", "moved", "gone"]
LogTaskAnswer: TypeAlias = Literal["ok", "gone"]

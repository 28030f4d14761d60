"""The words that scripts of runs answer: one type a script, which a test compares with the script's header."""

from __future__ import annotations

from typing import Literal, TypeAlias

#: `existing` and `different`: another run has the key, with the same input or another; `conflict`: a key of ours holds
#: something else, or another flow has the queue.
StartAnswer: TypeAlias = Literal["created", "existing", "different", "conflict"]
#: `changed`: the step has started another number of runs; the others as of an attempt that is reported, and as above.
RecordAnswer: TypeAlias = Literal["ok", "stale", "gone", "malformed", "changed", "different", "conflict"]

"""What the host cannot do: its own error, which no job is to blame for."""

from __future__ import annotations

import errno
from typing import Final

from flows.errors import FlowsError

#: No descriptors are left in this process or on this machine, no memory, or no further process or thread.
_LACKS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})


class HostUnable(FlowsError):
    """The function of an attempt could not begin, for a reason that is the host's."""


class NeverAble(HostUnable):
    """Nor will it later: what runs the function cannot work as it was declared."""


def is_hosts(error: BaseException) -> bool:
    """Return whether an error says that the machine has nothing left to give."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _LACKS)

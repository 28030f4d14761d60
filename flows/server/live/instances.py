"""What a connection may do with instances of trees: watch, execute, cancel, read results, each by a right of its own.

What acts goes by the operations of `flows.api.trees`, and so through the audit, and with what is hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.api import find_operation
from flows.api.reading.tree_host import find_tree
from flows.errors import DeclarationError, Forbidden, NothingThere, ValidationError
from flows.model.names import is_job_id
from flows.server.live import protocol
from flows.server.live.job_room import KINDS, JobRoom
from flows.server.live.rooms import Rooms
from flows.server.live.topics import TopicSource, check_may_watch
from flows.server.live.tree_room import TreeRoom
from flows.server.live.tree_source import TreeSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.api import Admin, Caller
    from flows.model.live.watch_token import WatchRight
    from flows.server.identity import Session
    from flows.server.live.gate import Gate
    from flows.server.live.room import Room, Watch

#: As whom an operation is asked for by who has the right to execute.
_ACTING: Final = "operator"


class Instances:
    """The instances that one process shows, and the runs and jobs that are shown as such.

    Args:
        admin: What they are read by.
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._rooms = Rooms(self._make, _check)

    async def enter(self, name: str, session: Session, on_change: Callable[[], None]) -> Watch:
        """Enter the room of an instance, a run or a job.

        Args:
            name: The id, `run/<id>` or `job/<flow>/<id>`.
            session: Who watches.
            on_change: Called whenever there is something new.

        Raises:
            FlowsError: There is none, it cannot be watched by this caller, or the server is away.
        """
        _check_right(session, "watch")
        if not name.startswith(KINDS) and not is_job_id(name):
            raise NothingThere(f"there is no instance {name!r:.100}: its id is a UUID")
        if not session.may_watch(name) and (not session.realm or name.startswith(KINDS)):
            raise _not_yours(session)
        watch = await self._rooms.enter(name, session.caller, on_change)
        if not self.may_keep(watch, session):
            watch.leave()
            raise _not_yours(session)
        return watch

    def may_keep(self, watch: Watch, session: Session) -> bool:
        """Return whether a session may watch what a watcher does, whose sight is that of the session then."""
        room = watch.room
        if not isinstance(room, TreeRoom):
            return session.may_watch(room.topic)
        row = room.snapshot.row
        if session.caller.hidden(f"tree.{row.app}"):
            watch.sight = "statuses"
        else:
            watch.sight = "errors" if "logs" in session.may else "messages"
        if watch.sight != "errors":
            watch.logs = {}
        is_named = session.may_watch(room.topic) or (bool(session.realm) and row.realm == session.realm)
        return is_named and "watch" in session.may

    def follow(self, watch: Watch, logs: Mapping[str, int], session: Session) -> None:
        """Let a watcher follow logs of tasks, each from the number of a line on.

        Raises:
            Forbidden: It may not read them.
        """
        if not logs:
            return
        if watch.sight != "errors":
            watch.leave()
            raise Forbidden("logs", "viewer", f"{session.caller.name} may not read logs")
        watch.logs = dict(logs)
        watch.room.look_soon()

    async def answer(self, command: protocol.Command, session: Session) -> str:
        """Do what a command asks for, and return the answer.

        Raises:
            FlowsError: It was refused.
        """
        name = command.workflow_id
        _check_right(session, "results" if isinstance(command, protocol.GetResult) else "execute")
        if name.startswith(KINDS):
            raise ValidationError(f"{name!r:.100} is no instance of a tree: runs and jobs are watched here, no more")
        if not session.may_watch(name) and not await self._is_in_realm(name, session):
            raise _not_yours(session)
        try:
            return await self._answer(command, session)
        except DeclarationError as error:
            path = command.task_path if isinstance(command, protocol.ExecuteTask) else "#"
            return protocol.execution_error(name, path, command.ref, type(error).__name__, str(error))

    async def close(self) -> None:
        """End all rooms."""
        await self._rooms.close()

    async def _answer(self, command: protocol.Command, session: Session) -> str:
        given: dict[str, Any] = {"id": command.workflow_id}
        match command:
            case protocol.ExecuteTask():
                given |= {"path": command.task_path, "argument": command.argument, "missing": command.missing}
                given |= {"subtree": command.subtree, "downstream": command.downstream, "ref": command.ref}
                started = await self._call("trees.execute", given, session)
                return protocol.accepted(command.ref, started.execution)
            case protocol.ExecuteAllTasks():
                given |= {"argument": command.argument, "ref": command.ref}
                started = await self._call("trees.execute", given, session)
                return protocol.accepted(command.ref, started.execution)
            case protocol.CancelExecution():
                await self._call("trees.cancel", given, session)
                return protocol.accepted(command.ref, "")
            case protocol.GetResult():
                found = await self._call("trees.result", {**given, "path": command.task_path, "whole": True}, session)
                return protocol.result(command.ref, found.result)

    async def _call(self, name: str, given: dict[str, Any], session: Session) -> Any:  # noqa: ANN401 - its own answer
        operation = find_operation(name)
        # A token of a watcher has no role, but the right that was checked.
        caller = session.caller.model_copy(update={"role": _ACTING}) if operation.acts else session.caller
        return await operation.call(self._admin.acting_as(caller, via="live"), given)

    async def _is_in_realm(self, name: str, session: Session) -> bool:
        if not session.realm:
            return False
        found = await find_tree(self._admin.acting_as(session.caller, via="live"), name)
        return found.row.realm == session.realm

    def _make(self, name: str, caller: Caller, gate: Gate) -> Room:
        admin = self._admin.acting_as(caller, via="live")
        if name.startswith(KINDS):
            return JobRoom(name, TopicSource(name, admin, admin.link.signals), gate)
        return TreeRoom(name, TreeSource(name, admin), gate)


def _check(name: str, caller: Caller) -> None:
    if name.startswith(KINDS):
        check_may_watch(name, caller)
    elif not caller.may("viewer"):
        raise Forbidden("an instance", "viewer", f"{caller.name} is {caller.role}")


def _check_right(session: Session, right: WatchRight) -> None:
    if right not in session.may:
        raise Forbidden(right, "viewer", f"{session.caller.name} has {', '.join(sorted(session.may)) or 'no right'}")


def _not_yours(session: Session) -> Forbidden:
    return Forbidden("this instance", "viewer", f"the token of {session.caller.name} is for others")

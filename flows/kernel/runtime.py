"""What the calls and workers of a flow have in common: settings, events, and the session of the loop that uses it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flows.config import choose_server
from flows.errors import FlowsError, WrongLoop
from flows.kernel.current import get_current
from flows.kernel.fleet.other_releases import OtherReleases
from flows.kernel.session import Session
from flows.store.fleet.processes import live_releases, read_processes
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.keys.jobs import JobKeys
from flows.telemetry.events import Events
from flows.telemetry.outcome_events import OutcomeEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flows.config import Server
    from flows.kernel.built_in.companion import Companion
    from flows.model.declared.description import Descriptor
    from flows.model.fleet.process import Process
    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.store.jobs.finished import FinishedAttempt

#: Held where a flow passes from one event loop to another; a fork waits for it, so that no child finds it held.
_passing: Final = threading.Lock()
os.register_at_fork(before=_passing.acquire, after_in_parent=_passing.release, after_in_child=_passing.release)


class Runtime:
    """One flow in this process; one event loop at a time has it open.

    Args:
        options: The flow's.
        descriptor: Describes the flow, at the first connect.
        closing: The call that closes it, for an error's text.
    """

    def __init__(
        self, options: FlowOptions[Job, str], descriptor: Descriptor, closing: str = "await flow.stop_all() there"
    ) -> None:
        self.options = options
        self._descriptor = descriptor
        self._closing = closing
        self.settings = FlowSettings.of(options)
        self.events = Events(logging.getLogger("flows") if options.logger is None else options.logger)
        #: Of which queues workers run in this process, in whatever loop.
        self.served: Callable[[], Collection[str]] = tuple
        #: Asked where a job does not fit its class.
        self.other_releases = OtherReleases(self._digest, self._live_releases)
        #: Makes what stands beside a session.
        self.companion: Callable[[Session], Companion] | None = None
        self._outcome_events = OutcomeEvents(options, self.events)
        self._bound: Server | None = None
        self._session: Session | None = None
        #: Those of loops that plain functions of workers run, each for as long as its loop.
        self._visits: list[Session] = []

    @property
    def session(self) -> Session:
        """The session of the loop that used the flow last; only for what runs in that loop."""
        assert self._session is not None  # noqa: S101 - whoever asks has opened it
        return self._session

    @property
    def in_use(self) -> bool:
        """Whether a loop that runs has the flow open, or opens or closes it just now."""
        return self._session is not None and self._session.in_use

    def server(self) -> Server:
        """Return the server that the next opening connects to: the environment is read then, and not at an import.

        Raises:
            DeclarationError: a variable of the environment is no URL that can be used.
        """
        return choose_server(self.options.redis_url) if self._bound is None else self._bound

    async def open(self) -> Session:
        """Return the session of the running loop, opened.

        Raises:
            WrongLoop: another event loop that runs has the flow open, and this is not called by a worker's function.
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues or names.
        """
        session = self._session
        if (
            session is not None
            and session.opened
            and session.loop is asyncio.get_running_loop()
            and session.process == os.getpid()
        ):
            return session
        try:
            session = self._take(1)
        except WrongLoop:
            if get_current() is None:
                raise
            return await self._visit()
        try:
            await session.open(self.server())
        finally:
            session.switching -= 1
        return session

    def take(self) -> Session:
        """Return the session of the running loop, opened or not; what an ended loop has left is given up.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
        """
        return self._take(0)

    async def close(self) -> None:
        """Stop the services and disconnect; closing twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
        """
        await self.take().close()

    def bind(self, server: Server | None, namespace: str, ahead_ms: int = 0) -> None:
        """Use another server and namespace, and a clock that is ahead of the server's: for tests, while it is closed.

        What an ended loop has left open is given up.

        Args:
            server: None: what the options and the environment say.
            namespace: Stands before every key.
            ahead_ms: Milliseconds by which scripts are ahead.

        Raises:
            FlowsError: a loop that runs has the flow open; the message says which call closes it.
        """
        self.give_up()
        self._bound = server
        self.settings = replace(self.settings, keys=JobKeys(namespace), ahead_ms=ahead_ms)

    def redeclare(self, options: FlowOptions[Job, str], descriptor: Descriptor) -> None:
        """Take other options, while it is closed: the next session has them.

        What an ended loop has left open is given up.

        Raises:
            FlowsError: a loop that runs has the flow open; the message says which call closes it.
        """
        self.give_up()
        self.options, self._descriptor = options, descriptor
        self.settings = replace(FlowSettings.of(options), keys=self.settings.keys, ahead_ms=self.settings.ahead_ms)
        self._outcome_events = OutcomeEvents(options, self.events)

    def give_up(self) -> None:
        """Give up what an ended loop has left open.

        Raises:
            FlowsError: a loop that runs has the flow open; the message says which call closes it.
        """
        with _passing:
            session = self._session
            if session is not None:
                if session.in_use:
                    raise FlowsError(f"flow {self.options.name!r} is open in {session!r}: {self._closing} closes it")
                session.forsake()
                self._session = None

    def forsake(self) -> None:
        """Leave behind what it has open: for who stands beside another flow that is left behind."""
        if self._session is not None:
            self._session.forsake()

    async def children_results(self, flow: str, job_id: str, queue: str) -> bytes | None:
        """Read the results of a parent's many children."""
        return await (await self.open()).fetch.children_results(flow, job_id, queue)

    async def read_job(self, flow: str, job_id: str) -> dict[str, bytes] | None:
        """Read the hash of a job; None where it is gone."""
        return (await (await self.open()).fetch.hashes([(flow, job_id)]))[0]

    async def processes(self) -> list[Process]:
        """Return the processes that have workers of the flow, as far as they were heard of."""
        session = await self.open()
        return await read_processes(session.connection, session.settings)

    def emit_outcomes(self, queue: str, ended: list[FinishedAttempt], words: list[str]) -> None:
        """Emit the events of the attempts that one turn recorded."""
        self._outcome_events.emit(queue, ended, words)

    async def _digest(self) -> str:
        return (await self._descriptor.description()).digest

    async def _live_releases(self, queue: str) -> set[str | None]:
        session = await self.open()
        return await live_releases(session.connection, session.settings, queue)

    def _new_session(self) -> Session:
        session = Session(self.options, self.settings, self.events, self._descriptor)
        if self.companion is not None:
            session.companion = self.companion(session)
        return session

    async def _visit(self) -> Session:
        """Return a session for a loop that a worker's plain function runs, as by `asyncio.run`: it ends with that."""
        loop = asyncio.get_running_loop()
        with _passing:
            self._visits = [visit for visit in self._visits if not visit.over]
            session = next((visit for visit in self._visits if visit.loop is loop), None)
            if session is None:
                session = self._new_session()
                self._visits.append(session)
        await session.open(self.server())
        return session

    def _take(self, switching: int) -> Session:
        loop = asyncio.get_running_loop()
        with _passing:
            session = self._session
            if session is None or session.loop is not loop or session.process != os.getpid():
                if session is not None:
                    if session.in_use:
                        raise WrongLoop(self.options.name, repr(session))
                    session.forsake()
                self._session = session = self._new_session()
            session.switching += switching
            return session

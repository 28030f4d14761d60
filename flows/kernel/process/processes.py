"""Runs a plain function in processes, one job at a time: each process can be killed, and none outlives its worker.

They are spawned, import the function by its name, and call it for jobs that they decode themselves: what goes through
the pipe to each is JSON, and nothing of the user's is pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import DeclarationError
from flows.kernel.current import current_job
from flows.kernel.process.messages import EncodedJob, open_result, pack_call
from flows.kernel.process.process_handle import Call, ProcessHandle
from flows.kernel.threads import Threads
from flows.kernel.unable import NeverAble

if TYPE_CHECKING:
    from flows.kernel.process.target import Target
    from flows.model.job import JobResult
    from flows.model.verdict import AnyVerdict


class Processes:
    """Runs up to `most` calls of one function at once, each in a process of its own."""

    def __init__(self, most: int, target: Target) -> None:
        self._target = target
        self._threads = Threads(most)
        self._idle: list[ProcessHandle] = []
        self._busy: set[ProcessHandle] = set()
        self._closed = False

    async def prove(self) -> None:
        """Begin a process, unless the target is proven, and wait until it has found what it is to call.

        Raises:
            DeclarationError: it can never work.
            HostUnable: it cannot work now.
        """
        if self._target.proven:
            return
        try:
            process = await self._take()
        except NeverAble as error:
            raise DeclarationError(str(error)) from error
        self._give_back(process)

    async def call(self, job: EncodedJob) -> JobResult | AnyVerdict | None:
        """Call the function for a job and return what it returns; when this is cancelled, the process is killed.

        Raises:
            FailedInProcess: the function raised; a verdict is raised as itself.
            UnfitJob: the job could not be read as its class, so that it was not called.
            HostUnable: no process could begin it.
            WorkerProcessDied: the process ended before the function did.
        """
        process = await self._take()
        try:
            job.begin()
            here = current_job()
            text, parts = await self._threads.call(process.ask, Call(pack_call(job, here), here))
        except BaseException:
            self._drop(process)
            raise
        self._give_back(process)
        return open_result(text, parts, self._target.children)

    def close(self) -> None:
        """Stop idle processes, and kill the others."""
        self._closed = True
        while self._idle:
            self._idle.pop().stop()
        for process in self._busy:
            process.kill()
        self._threads.close()

    async def _take(self) -> ProcessHandle:
        """Return a process that is ready to call the function: an idle one, or a new one."""
        if self._closed:
            raise RuntimeError("these processes are closed")
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                self._busy.add(process)
                return process
        process = ProcessHandle(self._target)
        self._busy.add(process)
        try:
            await self._threads.call(ProcessHandle.wait_until_ready, process)
        except BaseException:
            self._drop(process)
            raise
        self._target.proven = True
        return process

    def _give_back(self, process: ProcessHandle) -> None:
        self._busy.discard(process)
        if self._closed:
            process.stop()
        else:
            self._idle.append(process)

    def _drop(self, process: ProcessHandle) -> None:
        self._busy.discard(process)
        process.kill()

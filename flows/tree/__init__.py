"""Task trees: declared, executed whole or by path, watched while they are.

from flows.tree import Task, TaskInput, Tree, Trees, current_task
"""

from __future__ import annotations

from flows.model.tree.errors import (
    InstanceGone,
    TaskNotReady,
    TreeBusy,
    TreeFailed,
    UnknownGenerator,
    UnknownPath,
)
from flows.tree.annotations import TaskInput
from flows.tree.backend.kernel import KernelBackend
from flows.tree.backend.protocol import Backend, Order, Outcome, Progress, Returned
from flows.tree.backend.sync import SyncBackend
from flows.tree.current import CurrentTask, current_task
from flows.tree.declare import Task, Tree
from flows.tree.execution import Execution
from flows.tree.generator import Generator
from flows.tree.index.memory import MemoryIndex
from flows.tree.index.protocol import Find, Index, InstancePage
from flows.tree.index.redis import RedisIndex
from flows.tree.instance import Instance
from flows.tree.state import InstanceState, TaskState
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import InstanceRow, Storage
from flows.tree.storage.redis import RedisStorage
from flows.tree.trees import Trees

__all__ = [
    "Backend",
    "CurrentTask",
    "Execution",
    "Find",
    "Generator",
    "Index",
    "Instance",
    "InstanceGone",
    "InstancePage",
    "InstanceRow",
    "InstanceState",
    "KernelBackend",
    "MemoryIndex",
    "MemoryStorage",
    "Order",
    "Outcome",
    "Progress",
    "RedisIndex",
    "RedisStorage",
    "Returned",
    "Storage",
    "SyncBackend",
    "Task",
    "TaskInput",
    "TaskNotReady",
    "TaskState",
    "Tree",
    "TreeBusy",
    "TreeFailed",
    "Trees",
    "UnknownGenerator",
    "UnknownPath",
    "current_task",
]

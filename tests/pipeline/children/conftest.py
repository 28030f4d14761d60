"""Flows for the tests of child workers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.pipeline.parts import Lists, list_flow


@pytest.fixture
def make_lists(redis_url: str, namespace: str) -> Callable[..., Lists]:
    """Make flows of lists in the test's namespace: see `list_flow`."""
    return partial(list_flow, redis_url, namespace)

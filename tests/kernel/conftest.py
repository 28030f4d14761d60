"""Flows for the tests of the kernel."""

from __future__ import annotations

from functools import partial

import pytest

from tests.kernel.parts import MakeFlow, number_flow


@pytest.fixture
def make_flow(redis_url: str, namespace: str) -> MakeFlow:
    """Make flows of one queue in the test's namespace: see `number_flow`."""
    return partial(number_flow, redis_url, namespace)

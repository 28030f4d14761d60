"""Flows for the tests of what middleware does in pipelines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.pipeline.parts import Lists, Orders, list_flow, order_flow


@pytest.fixture
def make_orders(redis_url: str, namespace: str) -> Callable[..., Orders]:
    """Make flows of orders in the test's namespace: see `order_flow`."""
    return partial(order_flow, redis_url, namespace)


@pytest.fixture
def make_lists(redis_url: str, namespace: str) -> Callable[..., Lists]:
    """Make flows of lists in the test's namespace: see `list_flow`."""
    return partial(list_flow, redis_url, namespace)

"""What all tests share."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def event_loop_of_the_main_thread() -> Iterator[None]:
    """Give the main thread an event loop of its own, closed at the end.

    pytest-asyncio asks for the current loop around each of its runners; where there is none, Python before 3.14 makes
    one that nobody closes, and the warning of its end strikes some later test.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()

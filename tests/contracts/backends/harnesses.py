"""The table of adapters that the `Backend` contract suite runs over: a name, how to open it, its marks.

To add one: write `<adapter>_harness.py` beside this file and add a line here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from tests.contracts.backends.harness import Opener


class Entry(NamedTuple):
    """One adapter of the table."""

    name: str
    opener: Opener
    marks: Sequence[pytest.MarkDecorator] = ()


HARNESSES: tuple[Entry, ...] = ()

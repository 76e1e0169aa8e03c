"""Query parameters, parsed at the door: a bad one is named together with what it may be."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from argoos.errors import CallerError

Choice = TypeVar("Choice", bound=StrEnum)

LARGEST_ID = 2**63 - 1
"""What a database's integer holds."""


class Query:
    """The query parameters of one request.

    Args:
        request: the request.
        known: every parameter that it may have.

    Raises:
        CallerError: there is a parameter that is not known, or a text with control characters in it.
    """

    def __init__(self, request: web.Request, known: Sequence[str]) -> None:
        self._values = request.query
        for name, value in self._values.items():
            if name not in known:
                choices = f"known are {', '.join(known)}" if known else "this address takes none"
                raise CallerError(f"the query parameter {name!r} is unknown; {choices}")
            if not value.isprintable():
                raise CallerError(f"the query parameter {name} holds characters that cannot be printed: {value!r}")

    def texts(self, name: str) -> list[str]:
        """Return every value of a parameter that may be repeated; empty ones count as not given."""
        return [value for value in self._values.getall(name, []) if value]

    def text(self, name: str) -> str | None:
        """Return a parameter, or None when it is absent or empty.

        Raises:
            CallerError: it is given twice.
        """
        values = self.texts(name)
        if len(values) > 1:
            raise CallerError(f"the query parameter {name} is given {len(values)} times; give it once")
        return values[0] if values else None

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """Return a parameter that is one of a few words.

        Raises:
            CallerError: it is none of them; the message lists them.
        """
        value = self.text(name)
        if value is None:
            return None
        for choice in choices:
            if choice.value == value:
                return choice
        raise CallerError(f"the query parameter {name} is {value!r}; it may be {', '.join(choices)}")

    def flag(self, name: str) -> bool:
        """Return a parameter that is true or false; false when absent.

        Raises:
            CallerError: it is neither.
        """
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise CallerError(f"the query parameter {name} is {value!r}; it may be true, false")
        return value == "true"

    def number(self, name: str, *, most: int = LARGEST_ID) -> int | None:
        """Return a parameter that is a whole number from 1 to `most`.

        Raises:
            CallerError: it is not.
        """
        value = self.text(name)
        if value is None:
            return None
        number = positive(value)
        if number is None or number > most:
            raise CallerError(f"the query parameter {name} is {value!r}; it may be a whole number from 1 to {most}")
        return number


def positive(text: str) -> int | None:
    """Return the number from 1 to `LARGEST_ID` that `text` writes in plain digits, or None."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_ID)):
        return None
    number = int(text)
    return number if 1 <= number <= LARGEST_ID else None

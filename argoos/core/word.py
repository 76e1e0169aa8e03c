"""Stable words that explain themselves."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A word of a fixed set. Each member is written as the word and its `meaning`, which the reference prints."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """Make a member whose value is the word alone."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

"""Tokens: several may be valid at once, and the time that a comparison takes tells nothing about them."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence

from multidict import istr

TOKEN_HEADER = istr("X-Argoos-Token")
"""The header's name, in the form in which aiohttp looks headers up without folding their case once more."""


class Gate:
    """Admits whoever shows a valid token; everybody while none is set.

    Args:
        tokens: returns the tokens that are valid now.
    """

    def __init__(self, tokens: Callable[[], Sequence[str]]) -> None:
        self._tokens = tokens
        self._known: tuple[str, ...] = ()
        self._digests: tuple[bytes, ...] = ()

    def admits(self, shown: Iterable[str]) -> bool:
        """Tell whether one of the shown values is a valid token.

        Every value is compared with every token, without an early exit. Digests are compared, since
        ``hmac.compare_digest`` gives away the length of what it compares.
        """
        tokens = tuple(self._tokens())
        if tokens != self._known:
            self._digests = tuple(map(_digest, tokens))
            self._known = tokens
        if not self._digests:
            return True
        admitted = False
        for value in shown:
            digest = _digest(value)
            for valid in self._digests:
                admitted |= hmac.compare_digest(digest, valid)
        return admitted


def _digest(token: str) -> bytes:
    # aiohttp hands over header bytes that are no UTF-8 as surrogates.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()

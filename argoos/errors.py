"""The error tree. Two questions decide the class: who must act, and does trying again help.

::

    ArgoosError
    ├── CallerError              the caller must change what he sent
    │   ├── InvalidReference     an image reference that is none
    │   ├── InvalidRule          an argoos.io/* label with a value that means nothing
    │   ├── BadDelivery          not a notification at all (HTTP 400)
    │   ├── BadToken             no valid token (HTTP 401)
    │   └── NotFound             there is no such push, workload … (HTTP 404)
    ├── SettingsError            the operator must change the configuration; carries every problem found
    ├── TemporaryError           nobody need act: trying again later helps
    │   ├── StoreUnavailable     the database is locked, full, broken or away
    │   └── BackendUnavailable   the orchestrator is away, or its list is not read yet
    ├── Conflict                 what was decided on has changed: read again, decide again
    └── PermanentError           trying again does not help: somebody must act
        └── Forbidden            the orchestrator refuses us; says which right is missing

Library errors are translated once, in the adapter that called the library, with ``raise … from exc``. Their texts are
cut to `BODY_LIMIT` characters and never hold a secret.
"""

from collections.abc import Sequence

BODY_LIMIT = 500
"""Characters of a server's answer that a message may quote."""


class ArgoosError(Exception):
    """What every error of Argoos is; its text says what happened, to what, and what to do."""


class CallerError(ArgoosError):
    """The caller must change what he sent; trying the same again does not help."""


class InvalidReference(CallerError):
    """A text that is no image reference."""


class InvalidRule(CallerError):
    """An ``argoos.io/*`` label or annotation whose value means nothing; the text names key, value and choices."""


class BadDelivery(CallerError):
    """A request body that is no notification of the kind its receiver reads (HTTP 400)."""


class BadToken(CallerError):
    """A request without a valid token (HTTP 401)."""


class NotFound(CallerError):
    """What was asked for does not exist (HTTP 404)."""


class SettingsError(ArgoosError):
    """The configuration cannot be used. All its problems are in `problems`, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class TemporaryError(ArgoosError):
    """Trying again later helps.

    `delay_seconds` is how long the other side asked us to wait (``Retry-After``), or None when it did not say.
    """

    def __init__(self, message: str, *, delay_seconds: float | None = None) -> None:
        super().__init__(message)
        self.delay_seconds = delay_seconds


class StoreUnavailable(TemporaryError):
    """The database cannot be read or written now: locked, full, corrupt or away."""


class BackendUnavailable(TemporaryError):
    """The orchestrator cannot be reached, or the list of its workloads is not complete yet."""


class Conflict(ArgoosError):
    """The workload is no longer what the decision was made on: read it again and decide again."""


class PermanentError(ArgoosError):
    """Trying again does not help until a person has changed something; the text says what."""


class Forbidden(PermanentError):
    """The orchestrator refuses us; the text names the right that is missing."""


def excerpt(text: str) -> str:
    """Return `text` on one line, cut to `BODY_LIMIT` characters, fit to be quoted in a message."""
    line = " ".join(text.split())
    return line if len(line) <= BODY_LIMIT else line[: BODY_LIMIT - 1] + "…"

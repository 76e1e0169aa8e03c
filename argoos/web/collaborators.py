"""What the web room is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from argoos.core.image import RegistryNames
from argoos.core.push import Received
from argoos.metrics import Metrics
from argoos.planner import Planner
from argoos.ports import Backend, History, Receiver


class Inbox(Protocol):
    """What deliveries need of the store; every `argoos.ports.Store` is one."""

    async def add(self, received: Sequence[Received], *, received_at: datetime) -> None:
        """Keep all parts of a delivery; once this returns they are on disk.

        Raises:
            StoreUnavailable: they are not.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """Everything that requests are answered with.

    `tokens` and `api_tokens` return the tokens that are valid at this moment; an empty answer opens the door. They are
    asked on every request, so they must be quick. `wake` tells the worker that there may be something to do. `now` is
    the clock, UTC. `serve_metrics` is False where another address serves ``/metrics``.
    """

    receiver: Receiver
    store: Inbox
    history: History
    planner: Planner
    backends: Sequence[Backend]
    names: RegistryNames
    metrics: Metrics
    wake: Callable[[], None]
    now: Callable[[], datetime]
    tokens: Callable[[], Sequence[str]]
    api_tokens: Callable[[], Sequence[str]]
    max_body_bytes: int = 1024 * 1024
    serve_metrics: bool = True

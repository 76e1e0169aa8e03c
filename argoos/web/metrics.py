"""``/metrics``: what was counted, and what is looked at when somebody asks."""

import structlog
from aiohttp import web

from argoos.errors import StoreUnavailable
from argoos.metrics import CONTENT_TYPE, Readings
from argoos.web.collaborators import Collaborators

log = structlog.get_logger(__name__)


class Exposition:
    """Answers scrapes.

    Args:
        given: the collaborators.
    """

    def __init__(self, given: Collaborators) -> None:
        self._history = given.history
        self._backends = tuple(given.backends)
        self._metrics = given.metrics
        self._now = given.now

    async def show(self, _: web.Request) -> web.Response:
        """Return all metrics; a store that is away costs two gauges, not the scrape."""
        try:
            depth = await self._history.depth()
        except StoreUnavailable as error:
            log.warning("the queue's depth cannot be read", error=str(error))
            depth = None
        synced = {backend.name: backend.status().synced for backend in self._backends}
        body = self._metrics.exposition(Readings(depth=depth, synced=synced), now=self._now())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

"""The web room: deliveries, the API, health and metrics. aiohttp at the edge, nothing decided here."""

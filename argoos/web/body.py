"""The body of a request: read whole, never more than the cap whatever its headers claim, unpacked under the same."""

import asyncio
import zlib

from aiohttp import hdrs, web

from argoos.errors import BadDelivery

BODY_SECONDS = 30.0
"""How long a sender may take to send a body. Registries give up after a second; this only frees what hangs."""

# zlib's window bits: gzip's own header, or that of zlib, which HTTP calls deflate (RFC 9110, 8.4.1).
_ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_body(request: web.Request, *, limit: int) -> bytes:
    """Return the body, unpacked.

    The server must leave packed bodies as they are (``auto_decompress=False``): aiohttp would go on unpacking what
    nobody wants to read any more.

    Raises:
        HTTPRequestEntityTooLarge: it is, or unpacks to, more than `limit` bytes.
        HTTPRequestTimeout: it did not come.
        HTTPUnsupportedMediaType: it is packed in a way unknown here.
        BadDelivery: it broke off, or cannot be unpacked.
    """
    content = request.content
    if content.is_eof():  # all of it is here, as nearly always
        body = content.read_nowait()
        if len(body) > limit:
            raise _too_large(limit)
    else:
        body = await _read_on(request, limit)
    encoding = request.headers.get(hdrs.CONTENT_ENCODING)
    return body if encoding is None else _unpacked(body, encoding.strip().lower(), limit)


async def _read_on(request: web.Request, limit: int) -> bytes:
    """Wait for a body that is still under way."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {BODY_SECONDS:.0f} seconds") from error
    except web.RequestPayloadError as error:
        raise BadDelivery("the body broke off before its end") from error
    return bytes(body)


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """Return what was packed, but never more than `limit` bytes of it."""
    if encoding in ("", "identity"):
        return body
    if encoding not in _ENCODINGS:
        known = ", ".join(sorted(_ENCODINGS))
        raise web.HTTPUnsupportedMediaType(
            text=f"Content-Encoding {encoding!r} is unknown; send the body as it is, or {known}"
        )
    unpacker = zlib.decompressobj(wbits=_ENCODINGS[encoding])
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadDelivery(f"the body says that it is {encoding}, and cannot be unpacked: {error}") from error
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise BadDelivery(f"the body says that it is {encoding}, and is not one whole of it")
    return unpacked


def _too_large(limit: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(
        limit, text=f"the body is larger than {limit} bytes (the setting max_body_bytes)"
    )

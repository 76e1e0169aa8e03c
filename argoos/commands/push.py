"""`argoos push`: post one push as a registry would, to try things out."""

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer

from argoos.commands import options
from argoos.commands.terminal import say
from argoos.core.image import ImageRef
from argoos.errors import InvalidReference

CONTENT_TYPE = "application/vnd.docker.distribution.events.v2+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def command(
    *,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE[@DIGEST]", help="registry/repository:tag, with or without @digest.")
    ],
    actor: Annotated[str, typer.Option(metavar="NAME", help="Who pushes; kept in the history.")] = "",
    url: options.Url = None,
    token: options.Token = None,
    config: options.Config = None,
    assignments: options.Assignments = None,
) -> None:
    """Tell a daemon of a push, as a registry would.

    For trying things out: workloads whose label allows it are moved. Without --url: the daemon that the settings
    describe, on this machine. Without a digest, one is made up of the image's name: files will show it, but no cluster
    can pull it.
    """
    from argoos.commands.daemon import daemon  # aiohttp: a third of a second
    from argoos.settings import Need, load

    ref = ImageRef.parse(image)
    tag = ref.running_tag
    if tag is None:
        raise InvalidReference(f"image {image!r} has no tag, and a push has one; write repository:tag@digest")
    loaded = load(options.flags(config, assignments), need=Need.NOTHING)
    target = daemon(loaded.settings, url=url, token=token, for_api=False)
    if ref.digest is None:
        say("no digest is given, so one is made up of the name; a registry would have sent a real one")
    digest = ref.digest or f"sha256:{hashlib.sha256(str(ref).encode()).hexdigest()}"
    body = envelope(ref.moved(tag=tag, digest=digest), actor=actor, now=datetime.now(UTC))
    asyncio.run(target.deliver(body, {"Content-Type": CONTENT_TYPE}))
    print(f"accepted: {ref.repository}:{tag}@{digest}")


def envelope(ref: ImageRef, *, actor: str, now: datetime) -> bytes:
    """Return the body that a registry of release 3 posts for a push of `ref`, which has a tag and a digest."""
    import orjson  # here, as its only use

    host, path = ref.repository.registry, ref.repository.path
    event = {
        "id": str(uuid.uuid4()),
        "timestamp": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "action": "push",
        "target": {
            "mediaType": MANIFEST,
            "digest": ref.digest,
            "size": 0,
            "length": 0,
            "repository": path,
            "url": f"http://{host}/v2/{path}/manifests/{ref.digest}",
            "tag": ref.tag,
        },
        "request": {"id": str(uuid.uuid4()), "addr": "", "host": host, "method": "PUT", "useragent": "argoos push"},
        "actor": {"name": actor} if actor else {},
        "source": {"addr": host, "instanceID": ""},
    }
    return orjson.dumps({"events": [event]})

"""Pushes that did not happen: what somebody asks a plan for, in the API or on the command line."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from argoos.core.image import ImageRef, RegistryNames, Repository
from argoos.core.push import Push
from argoos.errors import InvalidReference


def pushes_asked_for(
    images: Sequence[str], *, names: RegistryNames, now: datetime
) -> dict[Repository, tuple[Push, ...]]:
    """Return a push for each image, by canonical repository: images of one repository are candidates together.

    Without a digest the push has none (""), and the plan writes the bare tag. Of several images, each counts as pushed
    after those named before it.

    Raises:
        InvalidReference: a text is no image reference, or names a digest without a tag.
    """
    asked: dict[Repository, tuple[Push, ...]] = {}
    for position, text in enumerate(images):
        image = ImageRef.parse(text)
        tag = image.running_tag
        if tag is None:
            raise InvalidReference(f"image {text!r} has no tag, and a push has one; write repository:tag@digest")
        repository = names.canonical(image.repository)
        push = Push(
            key=f"asked:{position}",
            repository=repository,
            tag=tag,
            digest=image.digest or "",
            pushed_at=now + timedelta(microseconds=position),
        )
        asked[repository] = (*asked.get(repository, ()), push)
    return asked

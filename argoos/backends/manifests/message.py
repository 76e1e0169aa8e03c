"""What a commit says. Pure."""

import re
from collections.abc import Iterable, Sequence

from argoos.core.step import Update
from argoos.core.workload import WorkloadRef
from argoos.ports import Change

PUSH_TRAILER = "Argoos-Push"
"""The trailer that tells Argoos's own commits, and names the push in the history."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def message(changes: Sequence[Change]) -> str:
    """Describe changes that go into one commit: a subject, each container from and to, and who pushed."""
    updates = [update for change in changes for update in change.updates]
    lines = [_subject(changes, updates), ""]
    lines += [
        f"{_name(change.workload.ref)} {update.container.name}: {update.container.image} -> {update.image}"
        for change in changes
        for update in change.updates
    ]
    lines.append("")
    lines += [f"Pushed-by: {actor}" for actor in _once(_line(update.push.actor) for update in updates)]
    lines += [f"{PUSH_TRAILER}: {push}" for push in _once(_line(change.push_id) for change in changes)]
    return "\n".join(lines) + "\n"


def _subject(changes: Sequence[Change], updates: Sequence[Update]) -> str:
    tags = _once(update.image.running_tag or "" for update in updates)
    to = f" to {tags[0]}" if len(tags) == 1 else ""
    count = "" if len(updates) == 1 else f"{len(updates)} images of "
    if len(changes) == 1:
        return f"Update {count}{_name(changes[0].workload.ref)}{to}"
    return f"Update {len(updates)} images of {len(changes)} workloads{to}"


def _name(ref: WorkloadRef) -> str:
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


def _line(text: str) -> str:
    """Return what another sent as one line that cannot pass for a trailer of its own."""
    return _UNPRINTABLE.sub(" ", text).strip()


def _once(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]

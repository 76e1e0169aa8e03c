"""Editing: the image moves, and not one other byte."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from argoos.backends.manifests.documents import Manifest, read
from argoos.backends.manifests.edit import Edited, edit
from argoos.core.image import ImageRef
from argoos.core.workload import Workload
from argoos.errors import Conflict, PermanentError
from argoos.ports import Applied, Change
from tests.integration.manifests.sample import DEPLOYMENT, DIGEST, LOG, NEW, WEB, change, changes

MOVES = Path(__file__).parents[2] / "fixtures" / "manifests" / "moves"

HEAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {argoos.io/policy: minor}}
spec:
  template:
    spec:
"""
BARE = f"{WEB}:1.0"


def _edit(data: bytes, *, path: str = "web.yaml", image: str = NEW) -> tuple[Manifest, Edited]:
    manifest = read(data, path, "test")
    return manifest, edit(manifest, changes((found.workload for found in manifest.found), image))


def _marked(text: str) -> tuple[str, str]:
    """Return a text with marks as it is before and after the move."""
    before, after = "", ""
    for index, part in enumerate(text.replace("»", "«").split("«")):
        before += part
        after += NEW if index % 2 else part
    return before, after


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "bom"])
@pytest.mark.parametrize("path", sorted(MOVES.glob("*.txt")), ids=lambda path: path.stem)
def test_the_image_alone_moves(path: Path, mark: str, line_break: str) -> None:
    """However an image is written, its characters are replaced and every other byte stays, in any kind of file."""
    text = path.read_bytes().decode()
    before, after = _marked(mark + text.replace("\n", line_break))
    _, edited = _edit(before.encode())
    assert edited.data is not None, edited.attempts
    assert edited.data.decode() == after
    assert set(edited.attempts) == {Applied()}


REFUSED = {
    "an unlabelled service by alias": (
        (
            f"services:\n  web:\n    image: &img {BARE}\n    deploy: {{labels: {{argoos.io/policy: all}}}}\n"
            "  other:\n    image: *img\n"
        ),
        ("web.yaml:3:12: ", "services.other.image", "image of its own for web of StackService web/web"),
    ),
    "an unlabelled service by merge key": (
        (
            f"x-base: &base\n  image: {BARE}\nservices:\n"
            "  web: {<<: *base, deploy: {labels: {argoos.io/policy: all}}}\n  other: *base\n"
        ),
        ("web.yaml:2:10: ", "services.other.image"),
    ),
    "a container that the change leaves out": (
        (
            f"{HEAD}      containers:\n      - name: web\n        image: &img {BARE}\n"
            "      - name: keep\n        image: *img\n"
        ),
        ("web.yaml:9:16: ", "spec.template.spec.containers.1.image"),
    ),
    "an environment variable by alias": (
        (
            f"{HEAD}      containers:\n      - name: web\n        image: &img {BARE}\n"
            "        env: [{name: SELF, value: *img}]\n"
        ),
        ("containers.0.env.0.value",),
    ),
    "a key by alias": (
        f"{HEAD}      containers:\n      - name: web\n        image: &img {BARE}\n        env: {{? *img : x}}\n",
        ("containers.0.env.the key 0",),
    ),
    "a key written twice": (
        f"{HEAD}      containers:\n      - name: web\n        image: {BARE}\n        env: {{a: 1, a: 2}}\n",
        ("web.yaml:10:21: the key 'a' is written twice",),
    ),
    "a block in which the image stands twice": (
        f"{HEAD}      containers:\n      - name: web\n        image: |- # {BARE}\n          {BARE}\n",
        ("web.yaml:9:16: ", "write it on one line"),
    ),
    "a plain image that would be read as a number": (
        f"{HEAD}      containers:\n      - name: web\n        image: 12:x\n",
        ("web.yaml:9:16: ", "write it in quotes"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_change_more_is_refused(case: str) -> None:
    """An image that others share is not moved under them: the message names the place, the other use and the remedy."""
    text, parts = REFUSED[case]
    manifest = read(text.encode(), "web.yaml", "test")
    (found,) = manifest.found
    (container, *_) = found.workload.containers
    whole = change(found.workload, "12:30" if str(container.image) == "12:x" else NEW)
    edited = edit(manifest, [replace(whole, updates=whole.updates[:1])])
    assert edited.data is None
    (attempt,) = edited.attempts
    assert isinstance(attempt, PermanentError)
    for part in parts:
        assert part in str(attempt)


def test_a_refused_change_holds_back_who_shares_its_image() -> None:
    """Two workloads share an image; when one of them may not move, moving the other would move it too."""
    labels = "deploy: {labels: {argoos.io/policy: all}}"
    text = (
        f"x-image: &img {BARE}\nservices:\n  a:\n    image: *img\n    {labels}\n"
        f"  b:\n    image: *img\n    {labels}\n  c:\n    image: {BARE}\n    {labels}\n"
    )
    manifest = read(text.encode(), "shop.yaml", "test")
    a, b, c = (found.workload for found in manifest.found)
    edited = edit(manifest, [change(a), change(b, f"{WEB}:1.2"), change(c)])
    assert [type(attempt) for attempt in edited.attempts] == [PermanentError, PermanentError, Applied]
    assert edited.data == f"image: {NEW}\n".join(text.rsplit(f"image: {BARE}\n", 1)).encode()
    assert edited.written == {2}


def _moved(workload: Workload) -> Change:
    (container,) = workload.containers
    other = replace(container, image=ImageRef.parse(f"{WEB}:0.9"))
    whole = change(workload)
    return replace(whole, updates=(replace(whole.updates[0], container=other),))


def _renamed(workload: Workload) -> Change:
    (container,) = workload.containers
    whole = change(workload)
    return replace(whole, updates=(replace(whole.updates[0], container=replace(container, name="log")),))


STALE = {
    "another image": (_moved, f"runs {BARE} in web, no longer {WEB}:0.9"),
    "another container in its place": (_renamed, "has no container log in its place"),
    "other labels": (lambda it: change(replace(it, rules={"argoos.io/policy": "all"})), "the labels of"),
    "another place": (lambda it: change(replace(it, ref=replace(it.ref, uid="web.yaml#7"))), "no longer at web.yaml#7"),
}


@pytest.mark.parametrize("case", STALE)
def test_a_stale_change_is_a_conflict(case: str) -> None:
    """What is not as the decision found it is not touched."""
    make, text = STALE[case]
    manifest = read(DEPLOYMENT.encode(), "web.yaml", "test")
    edited = edit(manifest, [make(manifest.found[0].workload)])
    assert edited.data is None
    (attempt,) = edited.attempts
    assert isinstance(attempt, Conflict)
    assert text in str(attempt)


def test_what_is_there_already_is_applied() -> None:
    """An image that is what it should be needs no edit, and the change counts as applied."""
    _, edited = _edit(DEPLOYMENT.replace(BARE, NEW).encode())
    assert edited == Edited(data=None, attempts=(Applied(),))


def test_many_aliases_of_aliases_do_not_take_for_ever() -> None:
    """A file whose aliases multiply into billions of places is refused, in no time."""
    lines = [f"{HEAD}      containers:\n      - name: web\n        image: &a0 {BARE}\nspread:"]
    lines += [f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    _, edited = _edit("\n".join(lines).encode())
    (attempt,) = edited.attempts
    assert isinstance(attempt, PermanentError)
    assert "more than 1000 places" in str(attempt)


WHITE = st.text(" ", max_size=3)
NOISE = st.sampled_from(["", "# image: registry.example.com/team/web:1.0", "#\ttäb", "# '\"", "# 😀"])
QUOTE = st.sampled_from(["", "'", '"'])
BREAK = st.sampled_from(["\n", "\r\n"])
OTHER = st.sampled_from(["", "---\n", "kind: Secret\ndata: {a: &a b, c: *a}\n---\n", "# only a comment\n---\n"])
TAG = st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20}", fullmatch=True)


@settings(deadline=None)  # a busy machine is no mistake
@given(data=st.data(), quote=QUOTE, tag=TAG, new=TAG)
def test_only_the_span_differs(data: st.DataObject, quote: str, tag: str, new: str) -> None:
    """Whatever surrounds an image, the bytes before and behind it stay, and YAML reads nothing else differently."""
    noise = [data.draw(NOISE) for _ in range(3)]
    head = data.draw(OTHER) + noise[0] + "\n" + HEAD + f"      containers:\n      - name: web {noise[1]}\n"
    head += f"        image: {data.draw(WHITE)}{quote}"
    tail = f"{quote}{data.draw(WHITE)} {noise[2]}\n        args: [{WEB}:{tag}]\n---\n" + data.draw(OTHER)
    mark = data.draw(st.sampled_from(["", "\ufeff"]))
    line_break = data.draw(BREAK)
    head, tail = (mark + head).replace("\n", line_break), tail.replace("\n", line_break)
    before = f"{head}{WEB}:{tag}{tail}"
    image = f"{WEB}:{new}@{DIGEST}"
    _, edited = _edit(before.encode(), image=image)
    assert edited.data is not None
    assert edited.data.decode() == f"{head}{image}{tail}"
    old, now = (list(yaml.safe_load_all(text)) for text in (before, edited.data.decode()))
    (index,) = (n for n, (one, other) in enumerate(zip(old, now, strict=True)) if one != other)
    now[index]["spec"]["template"]["spec"]["containers"][0]["image"] = f"{WEB}:{tag}"
    assert old == now


def test_other_repositories_stay() -> None:
    """A container that runs something else is no part of the change."""
    text = DEPLOYMENT + f"        - name: log\n          image: {LOG}:1.0\n"
    _, edited = _edit(text.encode())
    assert edited.data == text.replace(BARE, NEW).encode()

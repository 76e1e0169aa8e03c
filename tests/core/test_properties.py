"""What holds of every plan, whatever is pushed and whatever runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from argoos.core.push import Push
from argoos.core.record import PushedAt
from argoos.core.step import Skip, Update
from argoos.core.tags import parse_filter
from argoos.core.version import Version, parse_version
from argoos.core.workload import Workload
from tests.core.builders import REPOSITORY, applied, at, container, digest, labels, planned, push, workload

VERSION_POLICIES = ("patch", "minor", "major")
EVERY_POLICY = (*VERSION_POLICIES, "all", "digest", "never", "nonsense")

FILTERS = (
    "range:>=1.1 <3",
    "glob:*1*",
    "glob:*-*",
    r"regexp:^(r-)?(?P<version>.*)$",
    r"regexp:(?P<order>\d+)$",
    r"regexp:^(?P<version>\d\.\d).*?(?P<order>\d)?$",
)

SUFFIXES = ("", "", "-rc1", "-rc.2", "-beta1", "-alpha", "-alpine", "-rc1-alpine", "-dev.1", "-dev.2")
NUMBERS = ("0.0", "0.1", "1.0", "1.1", "1.2", "2.0", "0.0.1", "1.0.0", "1.0.2", "1.1.1", "1.1.2", "2.1.0")
WORDS = ("latest", "main", "main-1", "main-2", "1", "1.2.3.4", "v1.1", "v1.1.2-rc1", "r-1.0", "r-1.1", "r-2.0-alpine")
IMAGES = (f"@{digest(1)}", REPOSITORY, "registry.example.com/team/other:1.0")

tags = st.sampled_from([number + suffix for number in NUMBERS for suffix in SUFFIXES]) | st.sampled_from(WORDS)
digests = st.integers(0, 4)
images = st.sampled_from(IMAGES) | st.builds(
    lambda tag, number: f":{tag}@{digest(number)}" if number else f":{tag}", tags, digests
)
histories = st.dictionaries(st.tuples(tags, digests.map(digest)), st.integers(-60, 90).map(at), max_size=4)


def rules(policies: Sequence[str] = EVERY_POLICY) -> st.SearchStrategy[Mapping[str, str]]:
    """Labels of a workload: a policy, and perhaps one for the container b, a filter, stages and a pin."""
    return st.fixed_dictionaries(
        {"policy": st.sampled_from(policies)},
        optional={
            "policy_b": st.sampled_from(policies),
            "tags": st.sampled_from(FILTERS),
            "prerelease": st.sampled_from(["true", "beta", "rc"]),
            "pin": st.sampled_from(["digest", "tag"]),
        },
    )


def workloads(policies: Sequence[str] = EVERY_POLICY) -> st.SearchStrategy[Workload]:
    """A workload of one to three containers, the third an init container."""
    return st.builds(_workload, st.lists(images, min_size=1, max_size=3), rules(policies))


def _workload(written: Sequence[str], labelled: Mapping[str, str]) -> Workload:
    slots = [
        container(image, name=name, index=index, init=name == "c")
        for index, (name, image) in enumerate(zip("abc", written, strict=False))
    ]
    return workload(*slots, **labelled)


def pushed(*, apart: bool = False) -> st.SearchStrategy[list[Push]]:
    """Pushes of one repository, each with a key of its own; no two of one moment if `apart`."""
    return st.lists(
        st.tuples(tags, digests, st.integers(0, 90)),
        min_size=1,
        max_size=5,
        unique_by=(lambda one: one[2]) if apart else None,
    ).map(_pushes)


def _pushes(raw: Sequence[tuple[str, int, int]]) -> list[Push]:
    return [push(tag, number=number, seconds=second, key=str(key)) for key, (tag, number, second) in enumerate(raw)]


@given(pushes=pushed(), one=workloads(), known=histories)
def test_planned_twice_is_planned_once(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """Once a plan is applied, the same pushes plan no update any more."""
    steps = planned(pushes, one, pushed_at=known)
    (after,) = applied([one], steps)
    again = [step for step in planned(pushes, after, pushed_at=known) if isinstance(step, Update)]
    assert again == []


@given(pushes=pushed(), one=workloads(VERSION_POLICIES), known=histories)
def test_never_older(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """Under the policies that compare versions an update never goes back, and never to another variant or channel."""
    for step in planned(pushes, one, pushed_at=known):
        if isinstance(step, Update):
            current, candidate = compared(step, step.container.image.running_tag), compared(step, step.push.tag)
            same_tag = step.push.tag == step.container.image.running_tag
            assert candidate is not None
            assert current is not None
            assert candidate.line == current.line
            assert candidate.precedence > current.precedence or (same_tag and step.detail.endswith("one push"))


def compared(step: Update, tag: str | None) -> Version | None:
    """Return what the policy compares of a tag: the version group of the filter, or the whole tag."""
    filter_text = step.workload.rules.get("argoos.io/tags")
    found = parse_filter(filter_text).match(tag) if filter_text and tag else None
    return parse_version(found.version if found else tag or "")


@given(data=st.data(), pushes=pushed(apart=True), one=workloads(VERSION_POLICIES), known=histories)
def test_the_order_of_arrival_is_irrelevant(
    data: st.DataObject, pushes: list[Push], one: Workload, known: PushedAt
) -> None:
    """Under the policies that compare versions the same pushes in another order end in the same images and reasons."""
    other = data.draw(st.permutations(pushes))
    here, there = (planned(order, one, pushed_at=known) for order in (pushes, other))
    assert Counter(map(repr, here)) == Counter(map(repr, there))


@given(pushes=pushed(apart=True), one=workloads(("all",)), known=histories)
def test_under_all_the_times_decide(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """Also under all the order of arrival is irrelevant where no two pushes are of one moment."""
    here, there = (applied([one], planned(order, one, pushed_at=known)) for order in (pushes, pushes[::-1]))
    assert here == there


@given(one_push=pushed().map(lambda pushes: pushes[0]), image=images, labelled=rules(VERSION_POLICIES), known=histories)
def test_major_admits_what_minor_admits_and_minor_what_patch_admits(
    one_push: Push, image: str, labelled: Mapping[str, str], known: PushedAt
) -> None:
    """A wider policy takes all that a narrower one takes, and writes the same."""
    written = []
    for policy in VERSION_POLICIES:
        found = {key: value for key, value in labelled.items() if key != "policy_b"} | {"policy": policy}
        steps = planned([one_push], workload(container(image), **found), pushed_at=known)
        written.append({step.image for step in steps if isinstance(step, Update)})
    for narrow, wide in combinations(written, 2):
        assert narrow <= wide


@given(pushes=pushed(), some=st.lists(workloads(), max_size=3), known=histories)
def test_each_push_has_one_step_for_each_container_that_runs_it(
    pushes: list[Push], some: list[Workload], known: PushedAt
) -> None:
    """No silent nothing: every push is answered for every container of its repository, and for no other."""
    named = [workload(*one.containers, name=str(index)) for index, one in enumerate(some)]
    labelled = [
        Workload(ref=one.ref, rules=was.rules, containers=one.containers) for one, was in zip(named, some, strict=True)
    ]
    steps = planned(pushes, *labelled, pushed_at=known)
    expected = Counter(
        (one.ref.name, slot.name, each.key)
        for one in labelled
        for slot in one.containers
        if str(slot.image.repository) == REPOSITORY
        for each in pushes
    )
    assert Counter((step.workload.ref.name, step.container.name, step.push.key) for step in steps) == expected


@given(pushes=pushed(), one=workloads(), known=histories)
def test_a_container_gets_one_update_at_most(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """However much is pushed, a plan moves a container once, and to something else than it runs."""
    updates = [step for step in planned(pushes, one, pushed_at=known) if isinstance(step, Update)]
    assert all(count == 1 for count in Counter(step.container.name for step in updates).values())
    assert all(step.image != step.container.image or step.record_digest for step in updates)


@given(pushes=pushed(), one=workloads(), known=histories)
def test_an_update_changes_nothing_but_tag_and_digest(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """The name stays as it is spelled, and tag and digest are those of the push."""
    for step in planned(pushes, one, pushed_at=known):
        if isinstance(step, Update):
            pinned = step.workload.rules.get("argoos.io/pin") != "tag"
            assert step.image.name == step.container.image.name
            assert (step.image.tag, step.image.digest or "") == (step.push.tag, step.push.digest if pinned else "")


@given(pushes=pushed(), one=workloads(), known=histories)
def test_unlabelled_and_never_are_never_touched(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """Without the label, with never or with a word that means nothing, no container moves."""
    for policy in ({}, {"policy": "never"}, {"policy": "Minor"}):
        rest = {key: value for key, value in one.rules.items() if not key.startswith("argoos.io/policy")}
        still = Workload(ref=one.ref, rules={**rest, **labels(**policy)}, containers=one.containers)
        assert all(isinstance(step, Skip) for step in planned(pushes, still, pushed_at=known))


@given(pushes=pushed(), one=workloads(), known=histories)
def test_every_refusal_is_explained(pushes: list[Push], one: Workload, known: PushedAt) -> None:
    """Only two reasons say all by themselves; every other skip has a detail, on one line."""
    for step in planned(pushes, one, pushed_at=known):
        if isinstance(step, Skip):
            assert step.detail or step.reason.value in {"never", "already-running"}
            assert "\n" not in step.detail

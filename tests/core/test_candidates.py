"""Several pushes, several containers, several workloads: who gets what, and how it is written."""

from dataclasses import replace

import pytest

from argoos.core.image import RegistryNames
from argoos.core.push import Push
from argoos.core.step import Skip, Update
from tests.core.builders import answers, applied, at, container, digest, planned, push, said, workload

ONE_OF_SEVERAL = [
    # policy, argoos.io/tags, runs, pushed (in the order of arrival, a second apart), what becomes of each
    ("minor", "", "1.4.2", "1.4.3 1.5.0 1.4.4", "superseded 1.5.0 superseded"),
    ("minor", "", "1.4.2", "1.5.0 2.0.0 1.4.1 main", "1.5.0 beyond-policy not-newer not-a-version"),
    ("patch", "", "1.4.2", "1.4.3 1.5.0 1.4.10", "superseded beyond-policy 1.4.10"),
    ("major", "", "1.4.2", "2.0.0 1.5.0 10.0", "superseded superseded 10.0"),
    ("minor", "", "1.4.2-rc1", "1.4.2 1.4.2-rc2", "1.4.2 superseded"),
    ("minor", "", "1.4.2", "1.5.0-rc1 1.5.0", "prerelease 1.5.0"),
    ("minor", "", "1.4.2", "1.5 1.5.0", "superseded 1.5.0"),
    ("minor", "", "1.4.2", "1.5.0-alpine 1.4.3", "variant-differs 1.4.3"),
    ("all", "", "1.4.2", "1.5.0 main 1.3.0", "superseded superseded 1.3.0"),
    ("all", "glob:1.*", "1.4.2", "1.5.0 1.3.0 main", "superseded 1.3.0 tag-filtered"),
    ("all", r"regexp:^b(?P<order>\d+)$", "b9", "b10 b12 b11 b8", "superseded b12 superseded not-newer"),
    ("all", r"regexp:^b(?P<order>\w+)$", "bm", "ba bz bn", "not-newer bz superseded"),
    ("all", r"regexp:^b(?P<order>\w+)$", "b10", "b9 bx b11", "superseded bx superseded"),
    ("all", r"regexp:^b(?P<order>\d+)|latest$", "b9", "b10 latest", "b10 not-newer"),
    ("digest", "", "main", "main dev", "main beyond-policy"),
    ("never", "", "1.4.2", "1.4.3 1.4.4", "never never"),
    ("minr", "", "1.4.2", "1.4.3 1.4.4", "invalid-policy invalid-policy"),
]


@pytest.mark.parametrize(("policy", "tags", "runs", "pushed", "expected"), ONE_OF_SEVERAL)
def test_of_several_candidates_one_is_taken(policy: str, tags: str, runs: str, pushed: str, expected: str) -> None:
    """The best that the policy allows, or under all the one pushed last; the others say that it was better."""
    pushes = [push(tag, number=7, seconds=second) for second, tag in enumerate(pushed.split())]
    rules = {"policy": policy, **({"tags": tags} if tags else {})}
    found = answers(pushes, workload(container(f":{runs}@{digest(1)}"), **rules))
    words = {f":{tag}@{digest(7)}": tag for tag in pushed.split()}
    assert [words.get(word, word) for word in found] == expected.split()


def test_the_latest_push_is_the_one_with_the_latest_time() -> None:
    """Under all the sender's time decides, whatever the order of arrival."""
    pushes = [push("b", seconds=9), push("a", seconds=5), push("c", seconds=7)]
    assert answers(pushes, workload(":x", policy="all")) == [f":b@{digest(1)}", "superseded", "superseded"]


def test_of_equal_times_the_last_arrival_is_taken() -> None:
    """Two pushes of one moment: the one that came last."""
    pushes = [push("1.5.0", number=1), push("1.5.0", number=2)]
    for policy in ("minor", "all"):
        assert answers(pushes, workload(":1.4.2", policy=policy)) == ["superseded", f":1.5.0@{digest(2)}"]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (push("1.5.0"), push("1.6.0", seconds=1), "1.6.0 is taken instead"),
        (push("1.5.0"), push("1.5.0", seconds=1, number=2),
         "1.5.0 was pushed again with another digest, which is taken instead"),
        (push("1.5.0"), push("1.5.0", seconds=1), "the same image was pushed again; that push is taken"),
    ],
)  # fmt: skip
def test_a_superseded_push_says_by_what(first: Push, second: Push, words: str) -> None:
    """The detail names what is taken instead, and how it differs."""
    lost, taken = planned([first, second], workload(":1.4.2", policy="minor"))
    assert isinstance(taken, Update)
    assert (said(lost), lost.detail) == ("superseded", words)


def test_under_all_an_earlier_push_does_not_replace_a_later_one_that_runs() -> None:
    """A late or repeated notification of an older push is superseded by what runs."""
    running = workload(container(f":main@{digest(2)}"), policy="all")
    known = {("main", digest(2)): at(10)}
    for late in (push("main", seconds=5), push("dev", seconds=5), push("dev", seconds=10)):
        (step,) = planned([late], running, pushed_at=known)
        assert (said(step), step.detail) == ("superseded", "main, which runs, was pushed later")
    assert answers([push("dev", seconds=11)], running, pushed_at=known) == [f":dev@{digest(1)}"]


def test_where_the_running_digest_is_unknown_the_tag_was_pushed_when_it_was_pushed_last() -> None:
    """A bare tag runs: an earlier push of another tag is superseded, the first push of the very tag is taken."""
    running = workload(":main", policy="all")
    known = {("main", digest(1)): at(4), ("main", digest(2)): at(10), ("main", digest(3)): at(2)}
    assert answers([push("dev", seconds=5)], running, pushed_at=known) == ["superseded"]
    assert answers([push("dev", seconds=11)], running, pushed_at=known) == [f":dev@{digest(1)}"]
    assert answers([push("main", seconds=10, number=2)], running, pushed_at=known) == [f":main@{digest(2)}"]


def test_where_only_a_digest_runs_it_was_pushed_when_any_tag_of_it_was() -> None:
    """A person's bare digest: what was pushed before it is superseded under all, what came after is taken."""
    running, known = workload(f"@{digest(9)}", policy="all"), {("old", digest(9)): at(4), ("new", digest(9)): at(10)}
    (step,) = planned([push("dev", seconds=5)], running, pushed_at=known)
    assert (said(step), step.detail) == ("superseded", "the digest, which runs, was pushed later")
    assert answers([push("dev", seconds=11)], running, pushed_at=known) == [f":dev@{digest(1)}"]


def test_where_only_a_digest_runs_it_is_ordered_by_the_tag_that_has_it() -> None:
    """The digest that runs is that of b2: b1 does not replace it, b3 does."""
    running = workload(f"@{digest(2)}", policy="all", tags=r"regexp:^b(?P<order>\d+)$")
    pushes = [push("b2", number=2), push("b1", number=1, seconds=1)]
    assert answers(pushes, running) == ["already-running", "not-newer"]
    assert answers([*pushes, push("b3", number=3)], running) == ["already-running", "not-newer", f":b3@{digest(3)}"]


def test_pushed_again_means_the_last_time() -> None:
    """What runs was pushed again meanwhile: a push between the two is earlier than what runs."""
    running = workload(f":main@{digest(1)}", policy="all")
    pushes = [push("dev", seconds=5, number=3), push("main", seconds=9, number=1)]
    assert answers(pushes, running, pushed_at={("main", digest(1)): at(0)}) == ["superseded", "already-running"]
    retried = [push("dev", seconds=15, number=3), push("main", seconds=9, number=1)]
    again = {("main", digest(1)): at(20)}
    assert answers(retried, running, pushed_at=again) == ["superseded", "already-running"]


def test_only_containers_of_the_repository_get_a_step() -> None:
    """Of two containers one matches; the other is not spoken of at all."""
    both = workload(
        container(":1.4.2", name="app"),
        container("registry.example.com/team/proxy:1.4.2", name="proxy", index=1),
        container("other.example.com/team/app:1.4.2", name="other", index=2),
        container("registry.example.com/app:1.4.2", name="short", index=3),
        policy="minor",
    )
    assert [step.container.name for step in planned([push("1.5.0")], both)] == ["app"]
    assert planned([push("1.5.0", repository="registry.example.com/team/nobody")], both) == ()


def test_each_container_is_decided_by_its_own_version_and_rules() -> None:
    """Containers of one workload run different versions and have labels of their own."""
    one = workload(
        container(":1.4.2", name="app"),
        container(":2.0.0", name="next", index=1),
        container(":1.4.2", name="old", index=2),
        container(":1.4.2", name="bad", index=3),
        container(":1.4.2-rc1", name="filtered", index=4),
        policy="minor",
        policy_old="never",
        policy_bad="nothing",
        tags_filtered="range:<1.5",
    )
    steps = planned([push("1.5.0"), push("2.0.1", number=2, seconds=1)], one)
    assert [(step.container.name, step.push.tag, step.policy, said(step)) for step in steps] == [
        ("app", "1.5.0", "minor", f":1.5.0@{digest(1)}"),
        ("app", "2.0.1", "minor", "beyond-policy"),
        ("next", "1.5.0", "minor", "not-newer"),
        ("next", "2.0.1", "minor", f":2.0.1@{digest(2)}"),
        ("old", "1.5.0", "never", "never"),
        ("old", "2.0.1", "never", "never"),
        ("bad", "1.5.0", "nothing", "invalid-policy"),
        ("bad", "2.0.1", "nothing", "invalid-policy"),
        ("filtered", "1.5.0", "minor", "tag-filtered"),
        ("filtered", "2.0.1", "minor", "tag-filtered"),
    ]


def test_an_init_container_moves_with_its_application() -> None:
    """A migration must match what it migrates for, unless its own label holds it back."""
    slots = (container(":1.4.2", name="migrate", init=True), container(":1.4.2", name="app"))
    taken = f":1.5.0@{digest(1)}"
    assert answers([push("1.5.0")], workload(*slots, policy="minor")) == [taken, taken]
    assert answers([push("1.5.0")], workload(*slots, policy="minor", policy_migrate="never")) == ["never", taken]


def test_steps_come_workload_by_workload() -> None:
    """Each workload that runs the repository is decided on its own, in the order given."""
    steps = planned(
        [push("1.5.0")],
        workload(":1.4.2", name="a", policy="minor"),
        workload(":1.4.2", name="b", policy="patch"),
        workload(":1.5.0", name="c", policy="minor"),
    )
    assert [(step.workload.ref.name, said(step)) for step in steps] == [
        ("a", f":1.5.0@{digest(1)}"),
        ("b", "beyond-policy"),
        ("c", "not-newer"),
    ]


def test_nothing_pushed_is_nothing_planned() -> None:
    """No push, no step; no workload, no step."""
    assert planned([], workload(":1.4.2", policy="minor")) == ()
    assert planned([push("1.5.0")]) == ()


@pytest.mark.parametrize(
    ("pushed_to", "runs"),
    [
        ("localhost:5000/team/app", "registry.example.com/team/app"),
        ("registry.example.com/team/app", "localhost:5000/team/app"),
        ("registry.svc:5000/team/app", "LOCALHOST:5000/team/app"),
        ("registry.example.com/team/app", "Registry.Example.com:443/team/app"),
        ("docker.io/library/app", "app"),
        ("index.docker.io/app", "docker.io/app"),
    ],
)
def test_a_repository_is_the_same_by_every_name(pushed_to: str, runs: str) -> None:
    """The host pushed to is often not the host pulled from; the image keeps the spelling that the workload has."""
    names = RegistryNames({"registry.example.com": ["localhost:5000", "registry.svc:5000"]})
    (step,) = planned([push("1.5.0", repository=pushed_to)], workload(f"{runs}:1.4.2", policy="minor"), names=names)
    assert isinstance(step, Update)
    assert str(step.image) == f"{runs}:1.5.0@{digest(1)}"


@pytest.mark.parametrize(
    ("pin", "number", "image", "record_digest"),
    [
        ("", 2, f":1.5.0@{digest(2)}", False),
        ("digest", 2, f":1.5.0@{digest(2)}", False),
        ("tag", 2, ":1.5.0", True),
        ("digest", 0, ":1.5.0", False),
        ("tag", 0, ":1.5.0", True),
    ],
)
def test_what_is_written(pin: str, number: int, image: str, record_digest: bool) -> None:
    """The digest of the push beside the tag, or the tag alone and the digest recorded; never a digest of before."""
    rules = {"policy": "minor", **({"pin": pin} if pin else {})}
    (step,) = planned([push("1.5.0", number=number)], workload(f":1.4.2@{digest(1)}", **rules))
    assert isinstance(step, Update)
    assert (said(step), step.record_digest) == (image, record_digest)


def test_with_pinned_tags_the_recorded_digest_tells_a_push_of_the_running_tag() -> None:
    """The image names no digest, but the one that Argoos recorded is known to run."""
    running = workload(container(":main", number=1), policy="digest", pin="tag")
    (same,) = planned([push("main", number=1)], running)
    (other,) = planned([push("main", number=2)], running)
    assert said(same) == "already-running"
    assert isinstance(other, Update)
    assert (said(other), other.record_digest, other.detail) == (":main", True, "the same tag with another digest")


def test_a_push_without_digest_does_not_let_an_earlier_one_in() -> None:
    """The latest push under all named no digest: once it runs, the earlier ones of its batch stay superseded."""
    pushes = [push("1.5", number=1, seconds=1), push("1.6", number=0, seconds=2), push("1.6", number=3, seconds=1)]
    running = (workload(":1.4", policy="all"),)
    steps = planned(pushes, *running)
    assert [said(step) for step in steps] == ["superseded", ":1.6", "superseded"]
    again = planned(pushes, *applied(running, steps))
    assert [said(step) for step in again] == ["superseded", "already-running", "superseded"]


def test_a_push_of_the_running_tag_without_digest_is_one_of_what_runs() -> None:
    """It cannot be told from what runs, so what was pushed before it is superseded under all."""
    running = workload(f":latest@{digest(1)}", policy="all")
    late = push("latest", number=0, seconds=2)
    assert answers([push("1.5", number=2, seconds=1), late], running) == ["superseded", "already-running"]
    assert answers([late, push("1.5", number=2, seconds=3)], running) == ["already-running", f":1.5@{digest(2)}"]


def test_a_step_carries_its_push_its_container_and_its_policy() -> None:
    """Whoever shows or applies a step needs nothing else."""
    one, pushed = workload(":1.4.2", policy="minor"), replace(push("1.5.0"), actor="ci")
    (update,) = planned([pushed], one)
    (skip,) = planned([pushed], replace(one, rules={"argoos.io/policy": "patch"}))
    assert isinstance(update, Update)
    assert isinstance(skip, Skip)
    assert (update.push, update.workload, update.container, update.policy) == (pushed, one, one.containers[0], "minor")
    assert (skip.push, skip.container, skip.policy) == (pushed, one.containers[0], "patch")

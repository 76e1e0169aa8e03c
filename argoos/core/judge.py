"""The verdict on one candidate for one container: may it run, and how good is it among those that may?

The rules of docs/reference/policies.md, each once. `argoos.core.plan` chooses among the admitted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from argoos.core.policy import Policy, Rule
from argoos.core.push import Push
from argoos.core.reason import Reason
from argoos.core.record import PushedAt
from argoos.core.version import Stage, Version, parse_version
from argoos.core.workload import Container

Rank = tuple[tuple[int, ...], str]
"""How good an admitted candidate is; the greatest is taken, of equals the latest push."""

UNRANKED: Rank = ((), "")

_KEPT_PARTS = {Policy.PATCH: 2, Policy.MINOR: 1, Policy.MAJOR: 0}
"""How many of a version's numbers each policy keeps as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The candidate may run; `rank` says how good it is."""

    rank: Rank = UNRANKED
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The candidate may not run, for `reason`."""

    reason: Reason
    detail: str = ""


Verdict = Admitted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is known of the pushes of the repository, earlier ones and those at hand.

    `pushed_at` tells when each (tag, digest) was pushed last, `tag_pushed_at` the same of each tag whatever its digest.
    Within `settle` of the push that runs, another digest of the same tag is the rest of the same push: builders push
    each platform's image under the tag, and the index last.
    """

    pushed_at: PushedAt
    tag_pushed_at: Mapping[str, datetime]
    settle: timedelta

    @classmethod
    def of(cls, pushes: Sequence[Push], pushed_at: PushedAt, settle: timedelta) -> "Memory":
        """Join the pushes at hand with what the history knows."""
        exact = dict(pushed_at)
        for push in pushes:
            key = (push.tag, push.digest)
            exact[key] = max(push.pushed_at, exact.get(key, push.pushed_at))
        tags: dict[str, datetime] = {}
        for (tag, _), at in exact.items():
            tags[tag] = max(at, tags.get(tag, at))
        return cls(pushed_at=exact, tag_pushed_at=tags, settle=settle)

    def settles(self, tag: str, since: datetime, until: datetime) -> bool:
        """Tell whether the tag was pushed from `since` to `until` with no pause longer than `settle`."""
        between = (at for (pushed, _), at in self.pushed_at.items() if pushed == tag and since < at < until)
        times = (since, *sorted(between), until)
        return since < until and all(later - earlier <= self.settle for earlier, later in pairwise(times))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One container to judge candidates for: its rule, what is remembered, and the rank of each order (see `ranks`)."""

    container: Container
    rule: Rule
    memory: Memory
    ranks: Mapping[str, Rank]

    @property
    def running(self) -> str | None:
        """The tag that runs; None when only a digest does."""
        return self.container.image.running_tag

    def running_since(self, push: Push) -> datetime | None:
        """Return when what runs was pushed, as far as that is known, to compare it with `push`.

        A push of the running tag that names no digest counts as one of what runs: it cannot be told from it. Where only
        a digest runs, its latest push under any tag counts. Where the running digest is unknown, the tag's latest push
        stands for it; not so against a push of that very tag, which may be the one that tells the digest.
        """
        tag, digest, pushed_at = self.running, self.container.digest, self.memory.pushed_at
        if tag is None:
            return max((at for (_, pushed), at in pushed_at.items() if pushed == digest), default=None)
        if digest or push.tag == tag:
            return max((pushed_at[key] for key in ((tag, digest or ""), (tag, "")) if key in pushed_at), default=None)
        return self.memory.tag_pushed_at.get(tag)

    def version(self, tag: str | None) -> Version | None:
        """Return the version that the policy compares: the filter's ``version`` group, or the whole tag."""
        found = self.rule.tags.match(tag) if tag else None
        return parse_version(found.version if found else tag or "")

    def rank(self, tag: str) -> Rank:
        """Return the rank that the filter's ``order`` group gives a tag."""
        found = self.rule.tags.match(tag)
        return self.ranks.get(found.order, UNRANKED) if found and found.order is not None else UNRANKED

    @property
    def running_rank(self) -> Rank:
        """The rank of what runs; where only a digest does, the best of the tags that are known to have it."""
        if self.running is not None:
            return self.rank(self.running)
        tags = (tag for (tag, digest) in self.memory.pushed_at if digest == self.container.digest)
        return max(map(self.rank, tags), default=UNRANKED)


def ranks(rule: Rule, tags: Iterable[str | None]) -> Mapping[str, Rank]:
    """Return the rank of each order in `tags`: as numbers where all of them are numbers, else as texts."""
    found = (rule.tags.match(tag) for tag in tags if tag)
    orders = {match.order for match in found if match and match.order is not None}
    if all(order.isascii() and order.isdigit() for order in orders):
        return {order: ((int(order),), "") for order in orders}
    return {order: ((), order) for order in orders}


def judge(push: Push, case: Case) -> Verdict:
    """Say whether the container may be moved to what was pushed."""
    rule, same_tag = case.rule, push.tag == case.running
    if rule.policy is Policy.NEVER:
        return Refused(reason=Reason.NEVER)
    if push.digest and push.digest == case.container.digest and (same_tag or case.running is None):
        return Refused(reason=Reason.ALREADY_RUNNING)
    if same_tag and not push.digest:
        detail = f"the push of {push.tag} names no digest, so it cannot be told from what runs"
        return Refused(reason=Reason.ALREADY_RUNNING, detail=detail)
    if rule.tags.match(push.tag) is None:
        return Refused(reason=Reason.TAG_FILTERED, detail=f"argoos.io/tags does not admit {push.tag}")
    if rule.policy.compares_versions:
        return _judge_version(push, case)
    return _judge_tag(push, case)


def _judge_version(push: Push, case: Case) -> Verdict:
    """Apply patch, minor or major."""
    candidate, current = case.version(push.tag), case.version(case.running)
    if current is None:
        only = f"{case.running} runs, which is no version; only the policies all and digest move it"
        bare = "a digest without a tag runs, which has no version; only the policy all moves it"
        return Refused(reason=Reason.CURRENT_NOT_A_VERSION, detail=only if case.running else bare)
    if candidate is None:
        detail = f"{push.tag} is no version, and the policy {case.rule.policy} compares versions"
        return Refused(reason=Reason.NOT_A_VERSION, detail=detail)
    rank = (candidate.precedence, "")
    if _is_rest_of_one_push(push, case):
        settle_seconds = case.memory.settle.total_seconds()
        return Admitted(rank=rank, detail=f"pushed again within {settle_seconds:g} s: the rest of one push")
    return _refusal(push, candidate, current, case) or Admitted(rank=rank)


def _is_rest_of_one_push(push: Push, case: Case) -> bool:
    since = case.memory.pushed_at.get((push.tag, case.container.digest or ""))
    return push.tag == case.running and since is not None and case.memory.settles(push.tag, since, push.pushed_at)


def _refusal(push: Push, candidate: Version, current: Version, case: Case) -> Refused | None:
    running = f"{case.running}, which runs"
    if candidate.line != current.line:
        word, theirs, ours = "channel", candidate.channel, current.channel
        if theirs == ours:
            word, theirs, ours = "variant", candidate.variant, current.variant
        detail = f"has {_named(word, theirs)}; {running}, has {_named(word, ours)}"
        return Refused(reason=Reason.VARIANT_DIFFERS, detail=detail)
    if candidate.precedence < current.precedence:
        return Refused(reason=Reason.NOT_NEWER, detail=f"older than {running}")
    if candidate.precedence == current.precedence:
        other = push.digest and case.container.digest and push.digest != case.container.digest
        same = "same version, another digest than" if other else "same version as"
        return Refused(reason=Reason.NOT_NEWER, detail=f"{same} {running}")
    kept = _KEPT_PARTS[case.rule.policy]
    if candidate.release[:kept] != current.release[:kept]:
        part = "major" if candidate.release[0] != current.release[0] else "minor"
        detail = f"another {part} version than {case.running}, and the policy is {case.rule.policy}"
        return Refused(reason=Reason.BEYOND_POLICY, detail=detail)
    least = min(current.stage, case.rule.least_stage)
    if candidate.stage < least:
        takes = "final versions only" if least is Stage.FINAL else f"{least.name.lower()} and later"
        stage = candidate.stage.name.lower()
        detail = f"{stage} is a pre-release; this container takes {takes} (argoos.io/prerelease changes that)"
        return Refused(reason=Reason.PRERELEASE, detail=detail)
    return None


def _judge_tag(push: Push, case: Case) -> Verdict:
    """Apply all or digest."""
    same_tag = push.tag == case.running
    if case.rule.policy is Policy.DIGEST and not same_tag:
        bare = "only a digest runs, without a tag that the policy digest could follow"
        detail = f"the policy digest takes only {case.running}" if case.running else bare
        return Refused(reason=Reason.BEYOND_POLICY, detail=detail)
    rank, running_rank, running = case.rank(push.tag), case.running_rank, case.running or "the digest"
    if rank < running_rank:
        return Refused(reason=Reason.NOT_NEWER, detail=f"argoos.io/tags orders it before {running}, which runs")
    since = case.running_since(push)
    if rank == running_rank and since is not None and push.pushed_at <= since:
        return Refused(reason=Reason.SUPERSEDED, detail=f"{running}, which runs, was pushed later")
    if not same_tag:
        return Admitted(rank=rank)
    known = case.container.digest
    return Admitted(rank=rank, detail="the same tag with another digest" if known else "which digest ran is not known")


def _named(word: str, value: str) -> str:
    return f"the {word} {value}" if value else f"no {word}"

"""The verdict on one candidate for one container: may it run, and how good is it among those that may?

The rules of docs/reference/policies.md, each once. `argoos.core.plan` chooses among the admitted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    """What is known of earlier pushes of the repository.

    `pushed_at` tells when each (tag, digest) was pushed last. Within `settle` of the push that runs, another digest of
    the same tag is the rest of the same push: builders push each platform's image under the tag, and the index last.
    """

    pushed_at: PushedAt
    settle: timedelta


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

    @property
    def running_since(self) -> datetime | None:
        """When what runs was pushed, if that is known."""
        tag, digest = self.running, self.container.digest
        return self.memory.pushed_at.get((tag, digest)) if tag and digest else None

    def version(self, tag: str | None) -> Version | None:
        """Return the version that the policy compares: the filter's ``version`` group, or the whole tag."""
        found = self.rule.tags.match(tag) if tag else None
        return parse_version(found.version if found else tag or "")

    def rank(self, tag: str | None) -> Rank:
        """Return the rank that the filter's ``order`` group gives a tag."""
        found = self.rule.tags.match(tag) if tag else None
        return self.ranks.get(found.order, UNRANKED) if found and found.order is not None else UNRANKED


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
    if same_tag and push.digest == case.container.digest:
        return Refused(reason=Reason.ALREADY_RUNNING)
    if same_tag and not push.digest:
        return Refused(reason=Reason.ALREADY_RUNNING, detail="only a digest would tell a re-push of the tag that runs")
    if rule.tags.match(push.tag) is None:
        return Refused(reason=Reason.TAG_FILTERED, detail=f"argoos.io/tags does not admit {push.tag}")
    if rule.policy.compares_versions:
        return _judge_version(push, case)
    return _judge_tag(push, case)


def _judge_version(push: Push, case: Case) -> Verdict:
    """Apply patch, minor or major."""
    candidate, current = case.version(push.tag), case.version(case.running)
    if push.tag == case.running and _is_rest_of_one_push(push, case):
        return Admitted(
            rank=(candidate.precedence, "") if candidate else UNRANKED,
            detail=f"pushed again within {case.memory.settle.total_seconds():g} s: the rest of one push",
        )
    if current is None:
        running = case.running or "a digest without a tag"
        return Refused(
            reason=Reason.CURRENT_NOT_A_VERSION,
            detail=f"{running} runs, which is no version; only the policies all and digest move it",
        )
    if candidate is None:
        return Refused(reason=Reason.NOT_A_VERSION, detail=f"{push.tag} is no version")
    return _refusal(candidate, current, case) or Admitted(rank=(candidate.precedence, ""))


def _is_rest_of_one_push(push: Push, case: Case) -> bool:
    since = case.running_since
    return since is not None and timedelta() < push.pushed_at - since <= case.memory.settle


def _refusal(candidate: Version, current: Version, case: Case) -> Refused | None:
    if candidate.line != current.line:
        detail = f"{_line(candidate)} is another variant or channel than {_line(current)}, which runs"
        return Refused(reason=Reason.VARIANT_DIFFERS, detail=detail)
    if candidate.precedence < current.precedence:
        return Refused(reason=Reason.NOT_NEWER, detail=f"older than {case.running}")
    if candidate.precedence == current.precedence:
        digest = ", another digest" if case.container.digest else ""
        return Refused(reason=Reason.NOT_NEWER, detail=f"same version as {case.running}{digest}")
    kept = _KEPT_PARTS[case.rule.policy]
    if candidate.release[:kept] != current.release[:kept]:
        part = "major" if candidate.release[0] != current.release[0] else "minor"
        detail = f"another {part} version than {case.running}, and the policy is {case.rule.policy}"
        return Refused(reason=Reason.BEYOND_POLICY, detail=detail)
    least = min(current.stage, case.rule.least_stage)
    if candidate.stage < least:
        takes = "final versions only" if least is Stage.FINAL else f"{least.name.lower()} and later"
        detail = f"{candidate.stage.name.lower()} is a pre-release; this container takes {takes}"
        return Refused(reason=Reason.PRERELEASE, detail=detail)
    return None


def _judge_tag(push: Push, case: Case) -> Verdict:
    """Apply all or digest."""
    same_tag = push.tag == case.running
    if case.rule.policy is Policy.DIGEST and not same_tag:
        takes = case.running or "a tag, and only a digest runs"
        return Refused(reason=Reason.BEYOND_POLICY, detail=f"the policy digest takes only {takes}")
    rank, running_rank = case.rank(push.tag), case.rank(case.running)
    if UNRANKED not in (rank, running_rank) and rank < running_rank:
        return Refused(reason=Reason.NOT_NEWER, detail=f"argoos.io/tags orders it before {case.running}, which runs")
    since = case.running_since
    if rank <= running_rank and since is not None and push.pushed_at <= since:
        return Refused(reason=Reason.SUPERSEDED, detail=f"{case.running}, which runs, was pushed later")
    return Admitted(rank=rank, detail="the same tag with another digest" if same_tag else "")


def _line(version: Version) -> str:
    return " ".join(filter(None, (version.channel, version.variant))) or "plain"

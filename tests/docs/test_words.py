"""The stable words, keys, settings, variables and metrics that pages name are those of the code."""

import re
from datetime import UTC, datetime
from itertools import chain

import pytest
import yaml

from argoos.backends.kubernetes.slim import DIGESTS, LAST_PUSH
from argoos.core.policy import PRERELEASE_VALUES, Pin, Policy
from argoos.core.push import NoCandidate
from argoos.core.reason import Reason
from argoos.core.record import Outcome, PushState, StepResult
from argoos.metrics import FAMILIES, Metrics, Readings
from argoos.settings import Settings
from argoos.settings.environment import CONFIG_NAME, PREFIX
from argoos.settings.reference import entries
from argoos.web import shape
from tests.docs.pages import Page, page, pages

WORDS = {str(word) for words in (Reason, NoCandidate, Outcome, PushState, StepResult) for word in words}
OTHER_HYPHENATED = {
    # programs, packages and settings of others
    "docker-registry", "kube-apiserver", "google-re2", "certificate-authority", "update-ca-certificates",
    # names of this project's own
    "argoos-sample", "argoos-token",
}  # fmt: skip
"""Words with a hyphen in inline code that are no stable words; add yours."""
HYPHENATED = re.compile(r"[a-z]+(?:-[a-z]+)+")
KEY = re.compile(r"argoos\.io/([\w.<>*-]+)")
CONTAINER_KEYS = {"policy", "tags"}
WHOLE_KEYS = {"policy", "tags", "prerelease", "pin", LAST_PUSH.partition("/")[2], DIGESTS.partition("/")[2], "*"}
SNAKE = re.compile(r"[a-z]+(?:_[a-z]+)+")
OTHER_SNAKE = {"known_hosts", "assert_never", "registry_notifications_pending_total"}
VARIABLE = re.compile(r"ARGOOS_[A-Z0-9_]+")
METRIC = re.compile(r"\bargoos_[a-z_]+\b")

everywhere = pytest.mark.parametrize("each", pages(), ids=lambda each: each.name)


@everywhere
def test_stable_words_exist(each: Page) -> None:
    """A word with a hyphen in inline code is a reason, an outcome, a state or a result, or is listed above."""
    if each.name == "docs/benchmarks.md":  # there, it is the name of a benchmark
        return
    found = {span for span in each.spans() if HYPHENATED.fullmatch(span)}
    assert found <= WORDS | OTHER_HYPHENATED, "neither a stable word, nor listed as another"


@everywhere
def test_keys_exist(each: Page) -> None:
    """Every `argoos.io/…` key on a page is read or written by Argoos."""
    for key in KEY.findall(each.text):
        name, dot, container = key.rstrip(".").partition(".")
        assert name in (CONTAINER_KEYS if dot and container else WHOLE_KEYS), f"{each.name}: argoos.io/{key}"


@everywhere
def test_values_of_labels_mean_something(each: Page) -> None:
    """The policies, stages and pins in the YAML of a page are among those that there are."""
    choices = {"policy": {str(p) for p in Policy}, "prerelease": set(PRERELEASE_VALUES), "pin": {str(p) for p in Pin}}
    for block in [*each.blocks("yaml"), *each.blocks("sh")]:
        for name, value in re.findall(r"argoos\.io/(policy|prerelease|pin)(?:\.[\w-]+)?: (\w+)", block.text):
            assert value in choices[name], f"{block}: argoos.io/{name}: {value}"


def test_the_page_of_policies_has_every_value() -> None:
    """docs/reference/policies.md names each policy, stage, pin and kind of filter."""
    text = page("docs/reference/policies.md").text
    for value in chain(map(str, Policy), PRERELEASE_VALUES, map(str, Pin)):
        assert f"`{value}`" in text, value
    for kind in ("range", "glob", "regexp"):
        assert f"`{kind}:" in text


@everywhere
def test_settings_exist(each: Page) -> None:
    """A word with an underscore in inline code is a setting or a key of the API, or is listed above."""
    known = {entry.key for entry in entries()} | {*shape.PUSH_KEYS, *shape.STEP_KEYS, "last_push", "user_agent"}
    if each.name.startswith(("docs/decisions/", "docs/architecture", "docs/glossary", "CONTRIBUTING", "CHANGELOG")):
        known |= _names_in_the_code()
    found = {span for span in each.spans() if SNAKE.fullmatch(span)}
    assert found <= known | OTHER_SNAKE | {name for name in found if METRIC.fullmatch(name)}


def _names_in_the_code() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (page("README.md").path.parent / "argoos").rglob("*.py")]
    return set(SNAKE.findall("\n".join(sources)))


@everywhere
def test_variables_exist(each: Page) -> None:
    """Every ARGOOS_… on a page is the name of a setting, of the settings file, or of the manifests' own."""
    known = {f"{PREFIX}{key.upper()}" for key in Settings.model_fields} | {CONFIG_NAME, PREFIX}
    known |= {"ARGOOS_E2E_BIN", "ARGOOS_E2E_DEBIAN"}
    assert set(VARIABLE.findall(each.text)) <= known


@everywhere
def test_metrics_exist(each: Page) -> None:
    """Every argoos_… on a page is a metric."""
    names = {family.name for family in FAMILIES}
    assert {re.sub(r"_(?:bucket|sum|count)$", "", name) for name in METRIC.findall(each.text)} <= names


def test_alerts_look_at_series_that_are_there_from_the_start() -> None:
    """What an alert compares or takes the increase of has a value before anything happens (rates aside: they last)."""
    (block,) = (block for block in page("docs/how-to/monitoring.md").blocks("yaml") if "groups" in block.text)
    (group,) = yaml.safe_load(block.text)["groups"]
    expressions = " ".join(rule["expr"] for rule in group["rules"])
    shown = Metrics().exposition(Readings(depth=None, synced={"kubernetes": True}), now=datetime.now(UTC)).decode()
    assert 'increase(argoos_pushes_total{outcome="failed"}' in expressions
    assert 'argoos_pushes_total{outcome="failed",reason=""} 0.0' in shown
    for name in METRIC.findall(expressions):
        assert f"\n{name}" in shown, name

"""The environment: ``ARGOOS_<KEY>`` for each setting, and the names that the original Argoos knew."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argoos.settings.fields import Located, Raw
from argoos.settings.file import YamlReader
from argoos.settings.layer import KeyPath, Layer, Origin, Problem
from argoos.settings.schema import Settings

PREFIX = "ARGOOS_"
CONFIG_NAME = "ARGOOS_CONFIG"
"""The environment variable that names the settings file."""

ENVIRONMENT_RANK, ORIGINAL_RANK, FLAG_RANK = 1, 2, 3

STRUCTURED = frozenset({"backends", "registries"})
TEXT_LISTS = frozenset({"tokens", "api_tokens"})

_NOT_FOR_US = re.compile(
    r"ARGOOS_(?:E2E_\w+|(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)\w*)?))"
)
"""What the end-to-end tests are told by, and what Kubernetes sets in a pod for each Service argoos or argoos-…"""

ORIGINAL_TOP = {
    "TOKEN": "tokens",
    "LISTEN": "listen",
    "VERBOSE": "verbose",
    "SERVER_CERT": "server_cert",
    "SERVER_KEY": "server_key",
}
ORIGINAL_KUBERNETES = {
    "KUBE_MASTER_URL": "master",
    "INCLUSTER": "in_cluster",
    "SKIP_SSL_VERIFICATION": "skip_ssl_verification",
    "CA_FILE": "ca_file",
    "CERT_FILE": "cert_file",
    "KEY_FILE": "key_file",
}
"""The original's names for its one cluster, and the fields of our Kubernetes backend that they mean."""


def environment_layer(environ: Mapping[str, str], *, base: Path) -> Layer:
    """Read every ``ARGOOS_*`` variable; an empty one counts as not given, an unknown one is a problem."""
    values: Raw = {}
    origins: dict[KeyPath, Origin] = {}
    problems: list[Problem] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name == CONFIG_NAME or not text:
            continue
        key = name.removeprefix(PREFIX).lower()
        origin = Origin(rank=ENVIRONMENT_RANK, source=f"environment {name}")
        if key in Settings.model_fields:
            values[key], found, wrong = read_text(key, text, base=base, origin=origin)
            origins |= found
            problems += wrong
        elif not _NOT_FOR_US.fullmatch(name):
            known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
            problems.append(Problem(origin=origin, path=(), text=f"is no setting{nearest(name, known)}"))
    return Layer(values=values, origins=origins, problems=tuple(problems))


def read_text(key: str, text: str, *, base: Path, origin: Origin) -> tuple[Any, dict[KeyPath, Origin], list[Problem]]:
    """Read the text of a setting as an environment variable or a flag gives it.

    Lists of sections are YAML, of which JSON is a part. A list of tokens is YAML when it starts with ``[``, else it is
    the one token. All else is a plain text, which the schema turns into a number or a path.
    """
    if key in STRUCTURED or (key in TEXT_LISTS and text.lstrip().startswith("[")):
        reader = YamlReader(text, base=base, place=origin)
        value = reader.read((key,))
        return value, {(key,): origin, **reader.origins}, reader.problems
    located = Located(text.strip(), base)
    return [located] if key in TEXT_LISTS else located, {(key,): origin}, []


def original_layer(environ: Mapping[str, str], *, base: Path) -> Layer:
    """Read the variables that the original Argoos knew; an empty one counts as not given."""
    values: Raw = {}
    origins: dict[KeyPath, Origin] = {}
    for name, key in ORIGINAL_TOP.items():
        if text := environ.get(name, "").strip():
            values[key] = [Located(text, base)] if key in TEXT_LISTS else Located(text, base)
            origins[(key,)] = Origin(rank=ORIGINAL_RANK, source=f"environment {name}")
    kubernetes = {
        field: (Located(text, base), Origin(rank=ORIGINAL_RANK, source=f"environment {name}"))
        for name, field in ORIGINAL_KUBERNETES.items()
        if (text := environ.get(name, "").strip())
    }
    return Layer(values=values, origins=origins, kubernetes=kubernetes)


def nearest(name: str, known: list[str]) -> str:
    """Return "; did you mean …?" with the known name most like `name`, or ""."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without any variable that means something to Argoos."""
    ours = {*ORIGINAL_TOP, *ORIGINAL_KUBERNETES, "KUBERNETES_SERVICE_HOST"}
    return {name: text for name, text in environ.items() if name not in ours and not name.startswith(PREFIX)}

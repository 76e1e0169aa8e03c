"""Reading: which workloads a file holds, what they are called, and what is said of a file that cannot be read."""

import pytest

from argoos.backends.manifests.documents import read
from argoos.errors import PermanentError
from tests.integration.manifests.sample import DEPLOYMENT, LOG, WEB

LABELLED = "deploy: {labels: {argoos.io/policy: all}}"

NAMED = {
    "one document": (
        "shop/web.yaml",
        DEPLOYMENT,
        ["Deployment shop/web @shop/web.yaml#0"],
    ),
    "no namespace": (
        "web.yaml",
        DEPLOYMENT.replace("  namespace: shop\n", ""),
        ["Deployment web @web.yaml#0"],
    ),
    "several documents": (
        "web.yaml",
        f"---\n{DEPLOYMENT}---\n---\nkind: Service\n---\n{DEPLOYMENT}",
        ["Deployment shop/web @web.yaml#0", "Deployment shop/web @web.yaml#3"],
    ),
    "every kind": (
        "all.yaml",
        "---\n".join(DEPLOYMENT.replace("Deployment", kind) for kind in ("StatefulSet", "DaemonSet", "ReplicaSet")),
        ["StatefulSet shop/web @all.yaml#0", "DaemonSet shop/web @all.yaml#1"],
    ),
    "somebody else's Deployment": ("web.yaml", DEPLOYMENT.replace("apps/v1", "example.com/v1"), []),
    "without the label": ("web.yaml", DEPLOYMENT.replace("argoos.io/policy", "argoos.io/pin"), []),
    "without a name": ("web.yaml", DEPLOYMENT.replace("name: web\n  namespace", "generateName: web-\n  namespace"), []),
    "items of a list": (
        "list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n- "
        + DEPLOYMENT.replace("\n", "\n  ").rstrip()
        + "\n- null\n",
        ["Deployment shop/web @list.yaml#0/1"],
    ),
    "a stack": (
        "stacks/shop.yml",
        f"version: '3.8'\nservices:\n  web: {{image: {WEB}, {LABELLED}}}\n  log: {{image: {LOG}}}\n",
        ["StackService shop/web @stacks/shop.yml#0/web"],
    ),
    "a stack with a name": (
        "stacks/shop.yml",
        f"name: store\nservices:\n  web: {{image: {WEB}, {LABELLED}}}\n",
        ["StackService store/web @stacks/shop.yml#0/web"],
    ),
    "a compose file": (
        "store/docker-compose.yml",
        f"services:\n  web: {{image: {WEB}, {LABELLED}}}\n",
        ["StackService store/web @store/docker-compose.yml#0/web"],
    ),
    "a compose file at the top": (
        "compose.yaml",
        f"services:\n  web: {{image: {WEB}, {LABELLED}}}\n",
        ["StackService compose/web @compose.yaml#0/web"],
    ),
    "nothing at all": ("empty.yaml", "# argoos.io\n", []),
    "a list of nothing": ("list.yaml", "# argoos.io\nkind: DeploymentList\napiVersion: apps/v1\nitems:\n", []),
    "no mapping": ("list.yaml", "- argoos.io/policy\n- services\n", []),
    "no services": ("web.yml", "# argoos.io\nservices: [a, b]\n", []),
}


@pytest.mark.parametrize("case", NAMED)
def test_what_workloads_are_called(case: str) -> None:
    """Only labelled workloads of the four kinds and labelled services are found, each with a place of its own."""
    path, text, expected = NAMED[case]
    found = [each.workload.ref for each in read(text.encode(), path, "files").found]
    assert [f"{ref} @{ref.uid}" for ref in found] == expected
    assert {ref.backend for ref in found} <= {"files"}


RULES = {
    "labels and annotations": (
        DEPLOYMENT.replace("labels:", "annotations: {argoos.io/pin: tag, note: x}\n  labels:\n    app: web"),
        {"argoos.io/policy": "minor", "argoos.io/pin": "tag"},
    ),
    "values that are no strings": (
        DEPLOYMENT.replace("minor", "true\n    argoos.io/prerelease: yes\n    argoos.io/pin:\n    argoos.io/tags: [a]"),
        {"argoos.io/policy": "true", "argoos.io/prerelease": "yes", "argoos.io/pin": "", "argoos.io/tags": ""},
    ),
    "what Argoos wrote in a cluster": (
        DEPLOYMENT.replace("labels:", "annotations: {argoos.io/last-push: '{}', argoos.io/digests: '{}'}\n  labels:"),
        {"argoos.io/policy": "minor"},
    ),
    "a list of labels": (
        (
            "services:\n  web:\n    deploy:\n      labels:\n        - argoos.io/policy=minor\n        - app=web\n"
            "        - 'argoos.io/tags=range:>=1.4 <2'\n        - argoos.io/pin\n"
        ),
        {"argoos.io/policy": "minor", "argoos.io/tags": "range:>=1.4 <2", "argoos.io/pin": ""},
    ),
    "merged labels": (
        (
            "x-labels: &rules {argoos.io/policy: minor, argoos.io/pin: tag}\nservices:\n"
            "  web: {deploy: {labels: {<<: *rules, argoos.io/pin: digest}}}\n"
        ),
        {"argoos.io/policy": "minor", "argoos.io/pin": "digest"},
    ),
    "two merges": (
        (
            "x-a: &a {argoos.io/policy: minor}\nx-b: &b {argoos.io/policy: all, argoos.io/pin: tag}\nservices:\n"
            "  web: {deploy: {labels: {<<: [*a, *b]}}}\n"
        ),
        {"argoos.io/policy": "minor", "argoos.io/pin": "tag"},
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_rules_are_read_as_written(case: str) -> None:
    """All `argoos.io/` labels and annotations are rules; one that means nothing is kept, for the plan to explain."""
    text, expected = RULES[case]
    (found,) = read(text.encode(), "web.yaml", "files").found
    assert found.workload.rules == expected


@pytest.mark.parametrize(
    "image",
    ["'{{ .Values.image }}'", "{{ .Values.image }}", f"{WEB}:${{TAG:-1.0}}", "$IMAGE", "''", "1.0", "null", "[a]"],
)
def test_a_template_is_no_image(image: str) -> None:
    """A container whose image is none is left out; the others keep their places."""
    text = (
        DEPLOYMENT.replace(f"image: {WEB}:1.0", f"image: {image}") + f"        - name: log\n          image: {LOG}:1\n"
    )
    (found,) = read(text.encode(), "web.yaml", "files").found
    assert [(each.name, each.index) for each in found.workload.containers] == [("log", 1)]
    assert found.workload.left_out == ("web",)


MARK = b"# argoos.io\n"

UNREADABLE = {
    "unclosed": (MARK + b"a: [1, 2\nb: c\n", "web.yaml:3:2: while parsing a flow sequence"),
    "a tab as indentation": (MARK + b"a:\n\tb: c\n", "web.yaml:3:1: while scanning for the next token"),
    "two keys on a line": (MARK + b"a: b: c\n", "web.yaml:2:5: mapping values are not allowed"),
    "an alias of nothing": (MARK + b"a: *b\n", "web.yaml:2:4: found undefined alias"),
    "windows-1252": (MARK + b"a: caf\xe9\n", "web.yaml:2:7: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "utf-16": ("a: b".encode("utf-16"), "web.yaml:1:1: this is UTF-16"),
    "a control character": (MARK + b"a: 1\nb: \x07\n", "web.yaml:3:4: character U+0007"),
    "nested too deep": (MARK + b"a: " + b"[" * 100_000 + b"]" * 100_000, "web.yaml:2:203: nested deeper than 200"),
    "nested too deep in dashes": (MARK + b"- " * 50_000 + b"a\n", "web.yaml:2:401: nested deeper than 200"),
    "nested too deep by indentation": (
        MARK + b"".join(b" " * depth + b"a:\n" for depth in range(1000)),
        "web.yaml:202:201: nested deeper than 200",
    ),
    "a key twice": (
        DEPLOYMENT.replace("  name: web\n", "  name: web\n  name: web\n", 1).encode(),
        "web.yaml:5:3: the key 'name' is written twice in one mapping; keep one",
    ),
    "an image twice": (
        DEPLOYMENT.replace("image: ", "image: a\n          image: ").encode(),
        "web.yaml:14:11: the key 'image' is written twice",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_says_where_and_why(case: str) -> None:
    """The message has file, line and column, and the cause; no file brings the process down."""
    data, expected = UNREADABLE[case]
    with pytest.raises(PermanentError) as caught:
        read(data, "web.yaml", "files")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize("case", ["unclosed", "windows-1252", "a control character", "nested too deep in dashes"])
def test_a_file_without_labels_is_checked_too(case: str) -> None:
    """A broken file is reported even when its label, if it had one, is not to be seen."""
    data, expected = UNREADABLE[case]
    with pytest.raises(PermanentError) as caught:
        read(data.replace(b"argoos", b"xrgoos"), "web.yaml", "files")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize("text", ["&a {<<: *a, services: {}}", "services: &a {web: *a}", "&a [*a]"])
def test_a_document_that_holds_itself(text: str) -> None:
    """YAML allows a graph with loops; reading one ends."""
    assert read(f"# argoos.io\n{text}\n".encode(), "web.yaml", "files").found == ()

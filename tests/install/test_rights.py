from argoos.backends.kubernetes.kinds import KINDS
from tests.install.tree import applied, one, pod_of


def test_rights_are_what_the_backend_asks_for_and_no_more() -> None:
    """Each kind can be read, watched and patched, Events can be written, and nothing else is granted."""
    rules = one("ClusterRole", "argoos")["rules"]
    assert all(rule.keys() == {"apiGroups", "resources", "verbs"} for rule in rules)
    granted = {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    workloads = {
        (kind.group, kind.plural, verb) for kind in KINDS.values() for verb in ("get", "list", "watch", "patch")
    }
    assert granted == workloads | {("", "events", "create")}


def test_rights_are_given_to_the_account_of_the_pod_alone() -> None:
    """One binding of one role to one account, which is the one that Argoos runs under."""
    kinds = [raw["kind"] for raw in applied() if "rbac" in raw["apiVersion"]]
    assert sorted(kinds) == ["ClusterRole", "ClusterRoleBinding"]
    binding = one("ClusterRoleBinding", "argoos")
    assert binding["roleRef"]["kind"] == "ClusterRole"
    assert binding["roleRef"]["name"] == one("ClusterRole", "argoos")["metadata"]["name"]
    account = one("ServiceAccount", "argoos")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "argoos", "namespace": "argoos"}]
    assert pod_of("argoos")["serviceAccountName"] == account["metadata"]["name"]
    assert account["automountServiceAccountToken"] is False, "no other pod of the namespace gets it by default"

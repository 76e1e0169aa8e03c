"""The index: pure, so whole histories can be tried."""

from hypothesis import given
from hypothesis import strategies as st

from argoos.backends.kubernetes.index import Index, Scope, key_of
from argoos.backends.kubernetes.kinds import DEPLOYMENT
from argoos.backends.kubernetes.slim import Observed, slim
from argoos.core.image import RegistryNames, Repository
from tests.integration.kubernetes.objects import web_app

SCOPE: Scope = ("Deployment", None)
REPOSITORIES = [f"registry.example.com/team/{name}" for name in ("a", "b", "c")]


def observed(name: str, version: int, *images: str) -> Observed:
    """Return a workload with these images, as the API server would tell of it."""
    raw = web_app(name)
    raw["metadata"] |= {"uid": name, "resourceVersion": str(version)}
    raw["spec"]["template"]["spec"]["containers"] = [
        {"name": f"c{number}", "image": image} for number, image in enumerate(images)
    ]
    workload = slim(raw, DEPLOYMENT, "test")
    assert workload is not None
    return workload


STEP = st.tuples(
    st.sampled_from(["put", "drop", "relist"]), st.sampled_from("xyz"), st.lists(st.sampled_from(REPOSITORIES))
)


@given(st.lists(STEP, max_size=40))
def test_both_ways_into_the_index_agree(steps: list[tuple[str, str, list[str]]]) -> None:
    """Whatever happens, what is found by repository is what a look at every workload would find."""
    index = Index(RegistryNames())
    model: dict[str, set[str]] = {}
    for version, (what, name, images) in enumerate(steps, start=1):
        workload = observed(name, version, *images)
        if what == "put":
            index.put(workload)
            model[name] = set(images)
        elif what == "drop":
            index.drop(key_of(workload), str(version))
            model.pop(name, None)
        else:
            index.keep_only(SCOPE, {key_of(workload)})
            model = {key: value for key, value in model.items() if key == name}
        assert [each.ref.name for each in index.find(None)] == sorted(model)
        for repository in REPOSITORIES:
            found = [each.ref.name for each in index.find(Repository.parse(repository))]
            assert found == sorted(key for key, value in model.items() if repository in value)


@given(st.permutations(range(1, 6)))
def test_the_newest_state_stays(order: list[int]) -> None:
    """In whatever order the states of a workload are told, the newest one is known in the end."""
    index = Index(RegistryNames())
    for version in order:
        index.put(observed("x", version * 9, f"{REPOSITORIES[0]}:{version}"))
    (known,) = index.find(None)
    assert str(known.containers[0].image).endswith(":5")


def test_versions_are_numbers() -> None:
    """Version 10 is newer than version 9, though it sorts before it as text."""
    index = Index(RegistryNames())
    index.put(observed("x", 10, f"{REPOSITORIES[0]}:new"))
    index.put(observed("x", 9, f"{REPOSITORIES[0]}:old"))
    assert str(index.find(None)[0].containers[0].image).endswith(":new")


def test_a_list_is_believed_whatever_its_versions() -> None:
    """After a restored backup the versions start again lower; the list is right."""
    index = Index(RegistryNames())
    index.put(observed("x", 10, f"{REPOSITORIES[0]}:lost"))
    index.put(observed("x", 9, f"{REPOSITORIES[0]}:restored"), listed=True)
    assert str(index.find(None)[0].containers[0].image).endswith(":restored")


def test_a_late_answer_does_not_revive() -> None:
    """A workload whose deletion the watch has told of does not come back by the answer to an older write."""
    index = Index(RegistryNames())
    written = observed("x", 8, f"{REPOSITORIES[0]}:new")
    index.put(observed("x", 7, f"{REPOSITORIES[0]}:old"))
    index.drop(key_of(written), "9")
    index.reach(SCOPE, "9")
    index.put_answer(written, SCOPE)
    assert index.find(None) == []


def test_a_label_that_came_back_outlives_its_removal() -> None:
    """A deletion that is older than what an answer has shown does not hide the workload."""
    index = Index(RegistryNames())
    index.put_answer(observed("x", 9, f"{REPOSITORIES[0]}:1"), SCOPE)
    index.drop(key_of(observed("x", 8)), "8")
    assert len(index) == 1

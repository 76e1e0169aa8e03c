"""A plan over files under git changes nothing: not the files, not git, not the remote."""

from pathlib import Path

from argoos import app
from argoos.core.step import Update
from argoos.settings import Settings
from tests.contracts.backends.manifests_harness import running
from tests.integration.manifests.repository import Repository, backend_of, run_git
from tests.integration.manifests.sample import DEPLOYMENT, change, deployment


async def test_a_plan_touches_nothing(repository: Repository, tmp_path: Path) -> None:
    """With a commit to push and another to pull, a plan is made of the files as they are, and leaves all of it so."""
    colleague = repository.clone(tmp_path / "colleague")
    colleague.manifest("other").write_text(deployment("other"))
    colleague.commit("Write other")
    colleague.git("push", "--quiet")
    repository.manifest("mine").write_text(deployment("mine"))
    repository.commit("Write mine")
    before = _state(repository)
    settings = Settings.model_validate(
        {
            "backends": [{"kind": "manifests", "path": repository.folder / "deploy", "git": {"push": True}}],
            "database": f"sqlite:///{tmp_path}/none.db",
        }
    )
    async with running(backend_of(repository)) as backend:
        push = change((await backend.find())[0]).updates[0].push
    async with app.planner_for(settings) as planner:
        planned = await planner.plan([push])
    assert [step.workload.ref.name for step in planned.steps if isinstance(step, Update)] == ["mine", "web"]
    assert _state(repository) == before
    assert repository.manifest().read_text() == DEPLOYMENT


def _state(repository: Repository) -> tuple[str, ...]:
    heads = repository.git("rev-parse", "HEAD", "origin/main"), run_git(repository.remote, "rev-parse", "main")
    return (*heads, repository.git("status", "--porcelain"))

"""Real git repositories for tests, driven as a person would."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from argoos.backends.manifests.backend import ManifestsBackend
from argoos.backends.manifests.options import GitOptions, ManifestsOptions
from argoos.core.image import RegistryNames

AUTHOR = "Argoos Daemon <argoos@example.com>"
"""As whom the backend commits."""

PERSON = {
    "GIT_AUTHOR_NAME": "Robin",
    "GIT_AUTHOR_EMAIL": "robin@example.com",
    "GIT_COMMITTER_NAME": "Robin",
    "GIT_COMMITTER_EMAIL": "robin@example.com",
}


def run_git(folder: Path, *arguments: str) -> str:
    """Run git as Robin and return what it printed, without the last line break."""
    environment = {**os.environ, **PERSON, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    answer = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert answer.returncode == 0, f"git {' '.join(arguments)}: {answer.stderr}"
    return answer.stdout.removesuffix("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A work tree at `folder`; `remote` is the bare repository that it was cloned from."""

    folder: Path
    remote: Path

    def git(self, *arguments: str) -> str:
        """Run git here, as Robin."""
        return run_git(self.folder, *arguments)

    def commit(self, message: str) -> None:
        """Commit all there is, as Robin."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def manifest(self, name: str = "web") -> Path:
        """Return where a manifest of this name is."""
        return self.folder / "deploy" / f"{name}.yaml"

    def hook(self, name: str, script: str) -> None:
        """Set a hook of this work tree."""
        _write_hook(self.folder / ".git" / "hooks" / name, script)

    def remote_hook(self, name: str, script: str) -> None:
        """Set a hook of the remote."""
        _write_hook(self.remote / "hooks" / name, script)

    def clone(self, folder: Path) -> "Repository":
        """Return another clone of the same remote: a colleague's."""
        run_git(self.remote, "clone", "--quiet", str(self.remote), str(folder))
        colleague = Repository(folder=folder, remote=self.remote)
        _keep_out_personal_settings(colleague)
        return colleague


def repository_with_remote(folder: Path) -> Repository:
    """Make a bare repository below `folder`, and a work tree of it with one pushed commit on the branch `main`."""
    repository = Repository(folder=folder / "clone", remote=folder / "remote.git")
    run_git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(repository.remote))
    run_git(folder, "init", "--quiet", "--initial-branch", "main", str(repository.folder))
    with (repository.folder / ".git" / "config").open("a") as config:
        config.write(f'[remote "origin"]\n\turl = {repository.remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
        config.write('[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n')
    _keep_out_personal_settings(repository)
    (repository.folder / "README").write_text("what runs where\n")
    repository.commit("Begin")
    repository.git("push", "--quiet", "origin", "main")
    return repository


def _keep_out_personal_settings(repository: Repository) -> None:
    """Set here what the configuration of whoever runs the tests might set otherwise."""
    git = repository.folder / ".git"
    with (git / "config").open("a") as config:
        config.write(f"[gc]\n\tauto = 0\n[commit]\n\tgpgSign = false\n[core]\n\thooksPath = {git / 'hooks'}\n")


def _write_hook(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def backend_of(
    repository: Repository, *, push: bool = False, branch: str | None = None, pull_seconds: float = 60
) -> ManifestsBackend:
    """Return a backend over the folder `deploy` of the work tree."""
    git = GitOptions(author=AUTHOR, push=push, branch=branch, pull_seconds=pull_seconds, timeout_seconds=20)
    options = ManifestsOptions(path=repository.folder / "deploy", git=git, rescan_seconds=0.05)
    return ManifestsBackend(name="files", options=options, names=RegistryNames())

"""A directory of one's own, and the shortest way to load settings from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argoos.errors import SettingsError
from argoos.settings import Flags, Loaded, Need, Surroundings, load


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Loaded]:
    """Load settings from the text of argoos.yaml, variables and flags, in an empty directory."""

    def run(
        text: str | None = None, *, flags: Flags | None = None, need: Need = Need.NOTHING, **environ: str
    ) -> Loaded:
        if text is not None:
            (tmp_path / "argoos.yaml").write_text(text)
        around = Surroundings(environ=environ, directory=tmp_path, service_account=tmp_path / "account")
        return load(flags, need=need, surroundings=around)

    return run


@pytest.fixture
def problems(read: Callable[..., Loaded], tmp_path: Path) -> Callable[..., list[str]]:
    """Load settings that cannot be used, and return what is said of them, with the directory written as DIR."""

    def run(text: str | None = None, **arguments: object) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            read(text, **arguments)
        return [problem.replace(str(tmp_path), "DIR") for problem in caught.value.problems]

    return run

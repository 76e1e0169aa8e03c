"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from argoos.settings import Flags

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Settings file. Default: $ARGOOS_CONFIG, else argoos.yaml in the working directory if it is there.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set any setting, in the form of its environment variable. Repeatable."
    ),
]
Manifests = Annotated[
    list[str] | None,
    typer.Option(
        "--manifests",
        metavar="DIR",
        help="Change the files below DIR, in place of the configured backends. Repeatable.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when something would be updated.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Address of the daemon, such as https://argoos.example.com."),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="Token to show. Default: the first in the settings. Others on this machine may see a command line; "
        "ARGOOS_TOKENS is safer.",
    ),
]


def flags(
    config: Path | None, assignments: list[str] | None, manifests: list[str] | None = None, **values: object
) -> "Flags":
    """Return what the command line says about settings."""
    from argoos.settings import Flags  # pydantic: 0.1 s that only commands with settings pay

    return Flags(config=config, assignments=assignments or (), manifests=manifests or (), values=values)

"""The command line: the table of commands, and the one place where errors become messages and exit codes.

Exit codes: 0 fine, 1 failed, 2 usage or configuration, 3 changes pending (with ``--exit-code``), 130 interrupted.
Nothing heavy is imported here: completion and ``--help`` must answer at once.
"""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from typer.main import get_command

from argoos import __version__
from argoos.commands import demo, original, plan, policy, push, pushes, serve, settings
from argoos.commands.terminal import say
from argoos.errors import ArgoosError, InvalidReference, InvalidRule, SettingsError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
MISUSES = (SettingsError, InvalidReference, InvalidRule)
"""Errors that the person at the command line must mend there or in the configuration."""


@dataclass(slots=True)
class Invocation:
    """What the whole invocation shares: whether tracebacks are wanted."""

    verbose: bool = False


app = typer.Typer(
    name="argoos",
    help="A push to your registry rolls out to the workloads whose label allows it.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: the same on a terminal and in the docs, and a third of a second sooner
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.command)
app.command("plan")(plan.command)
app.command("policy")(policy.command)
app.command("push")(push.command)
app.command("pushes")(pushes.command)
app.command("settings")(settings.command)
app.command("demo")(demo.command)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"argoos {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _print_version(wanted=value), is_eager=True, help="Print the version."
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="With an error, print where it came from.")] = False,
) -> None:
    """Take what holds for every command."""
    del version  # its callback has done all there is to do
    context.obj.verbose = verbose


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code. The error boundary: nothing gets past it but a message."""
    invocation = Invocation()
    _make_streams_lenient()
    try:
        given = original.translated(sys.argv[1:] if arguments is None else arguments)
        code = get_command(app)(given, prog_name="argoos", standalone_mode=False, obj=invocation)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the answer has enough of it
        _forget_stdout()
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the boundary of the command line
        return explained(error, verbose=invocation.verbose)
    return code if isinstance(code, int) else 0


def explained(error: BaseException, *, verbose: bool) -> int:
    """Say what went wrong, in a sentence for each error, and return the exit code."""
    if verbose:
        import traceback  # only with --verbose

        traceback.print_exception(error)
    codes = [_said(leaf, verbose=verbose) for leaf in _leaves(error)]
    return max(codes)


def _said(error: BaseException, *, verbose: bool) -> int:
    match error:
        case SettingsError():
            for problem in error.problems:
                say(problem)
        case ArgoosError() | OSError():
            say(str(error))
        case typer.TyperException():  # a mistake on the command line
            say(_usage(error))
            return error.exit_code
        case _:
            hint = "" if verbose else "; run it again with --verbose to see where"
            say(f"this is a defect of Argoos: {type(error).__name__}: {error}{hint}")
    return MISUSED if isinstance(error, MISUSES) else FAILED


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "argoos"
    return f"{error.format_message()}\n{path} --help explains it"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors in a group of a group; a task group wraps what its tasks raise."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _make_streams_lenient() -> None:
    """Let no character that the terminal's encoding lacks be an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    """Point standard output at nothing, so that the interpreter does not fail to flush it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

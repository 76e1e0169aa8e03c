"""The command line of the original Argoos: flags with a single dash, and no commands.

They are those of its ``main.go``, read by Go's flag package: ``-name value``, ``-name=value``, with one dash or two; a
boolean takes its value after ``=`` alone. So ``argoos -token T -listen :3000`` means
``argoos serve --token T --listen :3000``.
"""

from collections.abc import Sequence

TEXTS = frozenset(
    {"token", "listen", "master", "ca-file", "cert-file", "key-file", "server-cert", "server-key"},
)
BOOLEANS = frozenset({"incluster", "verbose", "skip-ssl-verification"})
_TRUE, _FALSE = frozenset({"1", "t", "true"}), frozenset({"0", "f", "false"})


def translated(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as our commands read them; what is not in the original's form stays as it is."""
    first = arguments[0] if arguments else ""
    if first in ("-version", "-help"):
        return [f"-{first}", *arguments[1:]]
    if _name(first) in TEXTS | BOOLEANS - {"verbose"} or (_name(first) == "verbose" and not _has_command(arguments)):
        return ["serve", *_flags(arguments)]
    if first == "serve":
        return ["serve", *_flags(arguments[1:])]
    return list(arguments)


def _has_command(arguments: Sequence[str]) -> bool:
    """Tell whether ``--verbose`` stands before a command, and so is ours."""
    return len(arguments) > 1 and not arguments[1].startswith("-")


def _flags(arguments: Sequence[str]) -> list[str]:
    result: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        name, equals, value = argument.partition("=")
        if _name(argument) in BOOLEANS and equals:
            result.append(_boolean(name.lstrip("-"), value))
        elif _name(argument) in BOOLEANS:
            result.append(f"--{name.lstrip('-')}")
        elif _name(argument) in TEXTS:
            result.append(f"--{name.lstrip('-')}{equals}{value}")
            if not equals and waiting:
                result.append(waiting.pop(0))  # its value, whatever it looks like
        else:
            result.append(argument)
    return result


def _name(argument: str) -> str:
    """Return the name of a flag, or "" for what is none."""
    dashes = len(argument) - len(argument.lstrip("-"))
    return argument.lstrip("-").partition("=")[0] if dashes in (1, 2) else ""


def _boolean(name: str, value: str) -> str:
    if value.lower() in _FALSE:
        return f"--no-{name}"
    return f"--{name}" if value.lower() in _TRUE else f"--{name}={value}"

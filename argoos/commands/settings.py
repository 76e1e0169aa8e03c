"""`argoos settings`: the settings that hold, and where each comes from."""

from argoos.commands import options
from argoos.commands.terminal import print_json, print_table, say


def command(
    *, json: options.Json = False, config: options.Config = None, assignments: options.Assignments = None
) -> None:
    """Print the settings, each with its source.

    The sources, the strongest last: default, file, ARGOOS_* in the environment, the original's variables, flags.
    Secrets are printed as stars.
    """
    from argoos.settings import Need, load  # pydantic: 0.1 s that only commands with settings pay
    from argoos.settings.shown import rows

    loaded = load(options.flags(config, assignments), need=Need.NOTHING)
    found = rows(loaded)
    if json:
        print_json([{"key": row.key, "value": row.value, "source": row.source} for row in found])
    else:
        print_table(("key", "value", "source"), [(row.key, _text(row.value), row.source) for row in found])
    for note in loaded.notes:
        say(note)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value).lower() if isinstance(value, bool) else str(value)

"""What commands print: tables for people, aligned plain text when piped, one JSON document when asked."""

import sys
from collections.abc import Sequence

import orjson


def printable(text: str) -> str:
    """Return `text` without control characters: names come from registries and must not steer a terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headers: by rich on a terminal; else columns two spaces apart, whole and stable."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(headers, cells)
        return
    for line in plain_lines(headers, cells):
        print(line)


def plain_lines(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the table as plain lines, the headers in capitals; nothing is cut, however wide."""
    table = [[header.upper() for header in headers], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _print_rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # 0.1 s, and of use on a terminal alone
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_json(document: object) -> None:
    """Print one JSON document: times in UTC with a Z, words of enumerations as texts."""
    print(orjson.dumps(document, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode())


def say(text: str) -> None:
    """Say something on standard error, where it does not mix with the answer; each line is marked as ours."""
    for line in text.splitlines() or [""]:
        print(f"argoos: {printable(line)}", file=sys.stderr)

"""Texts as every database can keep them."""


def storable(text: str) -> str:
    r"""Spell out what no database keeps in a text: a NUL as ``\x00``, half of a surrogate pair as ``\ud800``."""
    if text.isascii():
        return text.replace("\0", "\\x00") if "\0" in text else text
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")

"""``python -m argoos``: the same as the command ``argoos``."""

import sys

from argoos.cli import main

if __name__ == "__main__":
    sys.exit(main())

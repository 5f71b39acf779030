"""`python -m inkmark` is the command `inkmark`."""

from __future__ import annotations

from inkmark.cli import main

if __name__ == "__main__":
    main(prog_name="inkmark")

"""
The command line: ``paybylink create``, ``send``, ``links`` and so on.

It is one more host of the library: it reads the settings, calls `PayByLink` and shows what came back, for a person
or with ``--json`` for a program.
"""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line and end the process with its exit code; what ``paybylink`` calls."""
    try:
        import rich
        import typer
    except ImportError:
        _ = sys.stderr.write('error: the command line needs an extra: pip install "paybylink[cli]"\n')
        raise SystemExit(2) from None
    del rich, typer
    from .program import program

    for stream in (sys.stdout, sys.stderr):
        # Consoles and pipes may be of a narrow encoding; a name with an accent must not end a listing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    program()

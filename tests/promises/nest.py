"""
A process that hatches demos and kills them: it has loaded everything, so each one starts in the blink of a fork.

It is run as a script and is told on each line of stdin what to do next: a folder, and after how many seconds to kill
the demo in it (``-`` for never). It answers with one line: ``killed``, or ``ended`` with the exit code and the
seconds that it took. What a demo writes goes into ``demo.log`` beside its folder.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path


def play(folder: Path) -> int:
    """Play the demo in this process; its exit code."""
    from paybylink.cli.program import program

    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        _ = os.dup2(log, stream)
    try:
        program(["demo", "--once", "--dir", str(folder)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def hatch(folder: Path, seconds: float | None, *, loaded: Path | None = None) -> str:
    """Fork a demo, and kill it in `seconds` unless it has ended before."""
    began = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.close(reading)
            code = play(folder)
            if loaded is not None:
                _ = loaded.write_text(json.dumps(sorted(sys.modules)), "utf-8")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    # The child holds the other end, and nobody else: it can be read when the child has ended.
    ended, _, _ = select.select([reading], [], [], seconds)
    os.close(reading)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    took = time.monotonic() - began
    return "killed" if os.WIFSIGNALED(status) else f"ended {os.waitstatus_to_exitcode(status)} {took:.3f}"


def main() -> None:
    """Answer each line until there are no more."""
    loaded = Path(sys.argv[1])
    for line in sys.stdin:
        folder, _, after = line.strip().rpartition(" ")
        first = not loaded.exists()
        answer = hatch(Path(folder), None if after == "-" else float(after), loaded=loaded if first else None)
        if first and loaded.exists():
            # What a whole run has loaded need not be loaded again.
            for name in json.loads(loaded.read_text("utf-8")):
                if name not in sys.modules and not name.startswith("_"):
                    _ = importlib.import_module(name)
        _ = sys.stdout.write(f"{answer}\n")
        _ = sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Every case, each in a process of its own, as a table."""

from __future__ import annotations

import json
import subprocess
import sys

CASES = ("drivers", "webhook", "create_link", "awaited", "imports", "memory")


def main() -> None:
    """Run what was named on the command line, or everything."""
    chosen = sys.argv[1:] or CASES
    lines = []
    for case in chosen:
        told = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{case}"], check=True, capture_output=True, text=True
        )
        for line in told.stdout.splitlines():
            print(line, flush=True)
            lines.append(json.loads(line))
    print("\n| case | ours | peer | unit | against | ratio | goal | met |\n|---|---|---|---|---|---|---|---|")
    for line in lines:
        met = "yes" if line["met"] else "no"
        print(
            f"| {line['case']} | {line['ours']} | {line['peer']} | {line['unit']} | {line['against']} "
            f"| {line['ratio']} | {line['goal']} | {met} |"
        )


if __name__ == "__main__":
    main()

"""
`python -m paybylink.sandbox`: a sandbox to develop against, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from paybylink.sandbox.app import Sandbox
from paybylink.sandbox.vendors import VENDORS


def main() -> int:
    """The exit code, after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m paybylink.sandbox", description=__doc__)
    _ = parser.add_argument(
        "path", nargs="?", default="paybylink-sandbox.db", help="the file that keeps its state"
    )
    _ = parser.add_argument("--port", type=int, default=8025, help="HTTP port (default 8025; 0 for any)")
    _ = parser.add_argument("--smtp-port", type=int, default=8026, help="SMTP port (default 8026; 0 for any)")
    _ = parser.add_argument(
        "--webhook",
        nargs=3,
        action="append",
        default=[],
        metavar=("PROVIDER", "URL", "SECRET"),
        help="an endpoint to tell of a provider's events",
    )
    given = parser.parse_args()
    told: dict[str, list[tuple[str, str]]] = {vendor.name: [] for vendor in VENDORS}
    for name, url, secret in given.webhook:
        if name not in told:
            parser.error(f"there is no provider {name!r}: {', '.join(told)}")
        told[name].append((url, secret))
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        _ = signal.signal(number, lambda *_signal: over.set())
    running = Sandbox(
        given.path,
        port=given.port,
        smtp_port=given.smtp_port,
        webhooks=told["stripe"],
        adyen_webhooks=told["adyen"],
        mollie_webhooks=told["mollie"],
    )
    with running as sandbox:
        lines = [f"Sandbox, no real money: {sandbox.url}"]
        for vendor in VENDORS:
            lines.append(f"  {vendor.title:<12} {sandbox.url}/{vendor.name}  ({vendor.key_hint})")
        where = f"{sandbox.smtp_host}:{sandbox.smtp_port}"
        lines.append(f"  {'mail server':<12} {where}, read at {sandbox.url}/mailbox")
        _ = sys.stdout.write("\n".join(lines) + "\n")
        _ = sys.stdout.flush()
        _ = over.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

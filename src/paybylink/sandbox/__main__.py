"""
`python -m paybylink.sandbox`: a sandbox to develop against, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from paybylink.sandbox.app import Sandbox


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
        nargs=2,
        action="append",
        default=[],
        metavar=("URL", "SECRET"),
        help="an endpoint to tell",
    )
    given = parser.parse_args()
    webhooks = [(url, secret) for url, secret in given.webhook]
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        _ = signal.signal(number, lambda *_signal: over.set())
    with Sandbox(given.path, port=given.port, smtp_port=given.smtp_port, webhooks=webhooks) as sandbox:
        _ = sys.stdout.write(
            f"Sandbox, no real money: {sandbox.url}\n"
            f"  Stripe's API   {sandbox.stripe_url}  (any sk_test_ key)\n"
            f"  mail server    {sandbox.smtp_host}:{sandbox.smtp_port}, read at {sandbox.url}/mailbox\n"
        )
        _ = sys.stdout.flush()
        _ = over.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What importing costs, and a script's first link, each in fresh processes; medians of CPU time."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from . import server
from .report import show

ROUNDS = 11
NAMES = "from paybylink import Customer, LineItem, Money, Order, PayByLink, SingleUse, create_link"


def cost(code: str, *, folder: Path, **environment: str) -> float:
    """CPU milliseconds of a process that runs `code`, beyond one that does nothing."""

    def once(text: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _ = subprocess.run(
            [sys.executable, "-c", text],
            check=True,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
            | environment,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    _ = once(code)  # bytecode is written at the first run
    return statistics.median(once(code) - once("") for _ in range(ROUNDS))


def main() -> None:
    """Print the cases."""
    with tempfile.TemporaryDirectory() as name, server.running() as base:
        folder = Path(name)
        attrs = cost("import attrs", folder=folder)
        for case, code, most in (
            ("import paybylink", "import paybylink", 0.6),
            ("the names of a script", NAMES, 2.2),
        ):
            ours = cost(code, folder=folder)
            show(
                case,
                ours=ours,
                peer=attrs,
                unit="ms CPU",
                against="import attrs",
                goal=f"<= {most} x",
                met=ours <= most * attrs,
            )
        sdk = cost(
            "import stripe; stripe.enable_telemetry = False\n"
            f"client = stripe.StripeClient('sk_test_bench', base_addresses={{'api': {base!r}}})\n"
            "client.v1.payment_links.create({'line_items': [{'price_data': {'currency': 'eur', 'unit_amount': 4990, "
            "'product_data': {'name': 'Logo'}}, 'quantity': 1}]})",
            folder=folder,
        )
        script = (
            "from paybylink import create_link\ncreate_link('49.90 EUR', reference=REF, description='Logo')"
        )
        setting = {"PAYBYLINK_STRIPE_API_KEY": "sk_test_bench", "PAYBYLINK_STRIPE_BASE_URL": base}
        for case, store, most in (
            ("a script's first link, no store", "none", 2.0),
            ("a script's first link, SQLite store", f"sqlite:///{folder / 'shop.db'}", 3.2),
        ):
            ours = cost(
                script.replace("REF", "'INV-' + __import__('uuid').uuid4().hex"),
                folder=folder,
                PAYBYLINK_STORE=store,
                **setting,
            )
            show(
                case,
                ours=ours,
                peer=sdk,
                unit="ms CPU",
                against="import stripe and its first call",
                goal=f"<= {most} x",
                met=ours <= most * sdk,
            )


if __name__ == "__main__":
    main()

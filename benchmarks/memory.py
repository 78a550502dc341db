"""Memory of a process that has made 1,000 links, beside the SDK's, and of one that goes on to 50,000."""

from __future__ import annotations

import json
import subprocess
import sys

from . import server
from .report import show

_RSS = """
def rss():
    import gc; gc.collect()
    return int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1]) / 1024
"""
_SDK = """
import stripe, json; stripe.enable_telemetry = False
client = stripe.StripeClient('sk_test_bench', base_addresses={'api': BASE})
for n in range(1000):
    client.v1.payment_links.create({'line_items': [{'price_data': {'currency': 'eur', 'unit_amount': 4990,
        'product_data': {'name': 'Logo'}}, 'quantity': 1}]})
print(json.dumps([rss()]))
"""
_OURS = """
import json
from paybylink import Money, Order, PayByLink
from paybylink.providers.stripe import StripeProvider
pay = PayByLink(providers=[StripeProvider('sk_test_bench', base_url=BASE)], store=None)
amount = Money.of('49.90', 'EUR')
found = []
for n in range(MOST):
    pay.create_link(Order(reference=f'INV-{n}', amount=amount, description='Logo'))
    if n + 1 in (1000, MOST):
        found.append(rss())
print(json.dumps(found))
"""


def measure(code: str, base: str) -> list[float]:
    """What the child printed: resident MiB at its marks."""
    told = subprocess.run(
        [sys.executable, "-c", _RSS + code.replace("BASE", repr(base))],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found: list[float] = json.loads(told)
    return found


def main(most: int = 50_000) -> None:
    """Print the two cases."""
    with server.running() as base:
        sdk = measure(_SDK, base)[0]
        early, late = measure(_OURS.replace("MOST", str(most)), base)
    show(
        "memory after 1,000 links",
        ours=early,
        peer=sdk,
        unit="MiB",
        against="stripe-python",
        goal="<= peer + 32 MiB",
        met=early <= sdk + 32,
    )
    show(
        f"memory after {most:,} links",
        ours=late,
        peer=early,
        unit="MiB",
        against="after 1,000 links",
        goal="flat (<= 1.02 x)",
        met=late <= early * 1.02,
    )


if __name__ == "__main__":
    main()

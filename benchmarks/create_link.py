"""
CPU per created link, without a store: ours, each vendor's SDK as it comes, and a bare httpx POST of the body.

In clear text, which leaves out what ours and the SDKs do not decide; and over TLS, as the vendors are really reached:
there it counts whether a connection is kept. Each side then trusts one certificate instead of the usual 150.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
import stripe

from paybylink import PayByLink

from . import server
from .report import show, side_by_side
from .vendors import VENDORS, Vendor, fields, order, written

TIMES = 100


def bare_post(client: httpx.Client, request: httpx.Request) -> Callable[[int], object]:
    """The same body, posted without anything around it."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name in ("authorization", "content-type", "idempotency-key")
    }
    return lambda number: client.post(request.url, content=request.content, headers=headers).json()


def measure(vendor: Vendor, base: str, *, tls: bool) -> None:
    """Print the cases of one vendor."""
    case = f"{vendor.name}: create_link over {'TLS' if tls else 'clear text'}, CPU per call"
    request = written(vendor, base)
    with (
        httpx.Client() as bare,
        PayByLink(providers=[vendor.provider(base)], store=None) as pay,
    ):
        ours, sdk, post = side_by_side(
            (
                lambda number: pay.create_link(order(number)),
                vendor.client(base, fields(request)),
                bare_post(bare, request),
            ),
            times=TIMES,
        )
    show(
        case,
        ours=ours,
        peer=sdk,
        unit="ms",
        against=f"{vendor.sdk}, its own client",
        goal=f"<= {vendor.most} x",
        met=ours <= vendor.most * sdk,
    )
    if tls:
        return
    show(
        case,
        ours=ours,
        peer=post,
        unit="ms",
        against="bare httpx POST of the same body",
        goal="<= peer + 0.35 ms",
        met=ours <= post + 0.35,
    )


def main() -> None:
    """Print every case."""
    with server.running() as base:
        for vendor in VENDORS:
            measure(vendor, base, tls=False)
    if shutil.which("openssl") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        certificate = server.make_certificate(Path(folder))
        # As ours, `requests` and Stripe's package are told whom to trust.
        os.environ |= {"SSL_CERT_FILE": str(certificate), "REQUESTS_CA_BUNDLE": str(certificate)}
        stripe.ca_bundle_path = str(certificate)
        with server.running(certificate) as base:
            for vendor in VENDORS:
                measure(vendor, base, tls=True)


if __name__ == "__main__":
    main()

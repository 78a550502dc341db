"""CPU per created link, without a store: ours, each vendor's SDK as it comes, and a bare httpx POST of the body."""

from __future__ import annotations

from collections.abc import Callable

import httpx

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


def measure(vendor: Vendor, base: str) -> None:
    """Print the cases of one vendor."""
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
        f"{vendor.name}: create_link, stateless, CPU per call",
        ours=ours,
        peer=sdk,
        unit="ms",
        against=f"{vendor.sdk}, its own client",
        goal=f"<= {vendor.most} x",
        met=ours <= vendor.most * sdk,
    )
    show(
        f"{vendor.name}: create_link, stateless, CPU per call",
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
            measure(vendor, base)


if __name__ == "__main__":
    main()

"""
Links, with what stands behind them at the providers.

`content` is what a later call of `create_link` is compared with. It names the customer by a hash only (see
`order_fingerprint`), so it stays when he is forgotten, and the comparison with it.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from paybylink.flow import Written
from paybylink.links import LinkStatus, Mode, PaymentLink, ProviderLink, ProviderLinkStatus
from paybylink.money import Money
from paybylink.store.queries.links import BEHIND, CUSTOMER

from ._columns import Parameters, Row, digest, dump, load, micros, moment
from .orders import customer_from_row, kind_from_json, kind_json, order_from_json, order_json


def public_address(public_url: str | None, token: str) -> str:
    """Our own URL of a link; empty where no public URL is set."""
    return f"{public_url.rstrip('/')}/p/{token}" if public_url else ""


def link_row(
    link: PaymentLink, content: Mapping[str, str], *, tenant: str, public_url: str | None
) -> Parameters:
    """Every column of a link."""
    return {
        **moving_columns(link, public_url=public_url),
        **written_columns(link, content),
        "tenant": tenant,
        "id": link.id,
        "reference": link.order.reference,
        "part": link.order.part,
        "generation": link.generation,
        "token": link.token,
        "token_hash": digest(link.token),
        "status": str(link.status),
        "created_at": micros(link.created_at),
        "version": link.version,
    }


def moving_columns(link: PaymentLink, *, public_url: str | None) -> Parameters:
    """What changes while a link lives, but for its version."""
    assert link.expires_at is not None, "only a link without a store may have no end"
    url = link.url
    if url and url == public_address(public_url, link.token):
        # Ours is made anew on each reading; the column keeps the provider's.
        url = (link.current.url if link.current else None) or ""
    return {
        "status": str(link.status),
        "provider": link.provider,
        "url": url,
        "paid_minor": link.paid_amount.minor,
        "payments": link.payments,
        "expires_at": micros(link.expires_at),
        "expires_in_seconds": None if link.expires_in is None else link.expires_in // dt.timedelta(seconds=1),
        "renewals": link.renewals,
    }


def written_columns(link: PaymentLink, content: Mapping[str, str]) -> Parameters:
    """What was asked for."""
    return {
        "kind": link.kind.name,
        "kind_json": kind_json(link.kind),
        "order_json": order_json(link.order),
        "content_json": dump(dict(content)),
        "customer_id": link.id if link.order.customer else None,
        "mode": str(link.mode),
        "currency": link.order.amount.currency,
        "amount_minor": link.order.amount.minor,
    }


def link_from_row(row: Row, provider_links: Sequence[ProviderLink], *, public_url: str | None) -> PaymentLink:
    """The link of one joined row, with what stands behind it."""
    order = order_from_json(
        row["order_json"],
        reference=row["reference"],
        part=row["part"],
        tenant=row["tenant"],
        customer=customer_from_row(row, prefix=f"{CUSTOMER}row_"),
    )
    seconds = row["expires_in_seconds"]
    return PaymentLink(
        id=row["id"],
        token=row["token"],
        order=order,
        kind=kind_from_json(row["kind"], row["kind_json"]),
        status=LinkStatus(row["status"]),
        mode=Mode(row["mode"]),
        provider=row["provider"],
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        expires_in=None if seconds is None else dt.timedelta(seconds=seconds),
        url=public_address(public_url, row["token"]) or row["url"],
        provider_links=tuple(provider_links),
        paid_amount=Money.read(row["paid_minor"], row["currency"]),
        payments=row["payments"],
        version=row["version"],
        generation=row["generation"],
        renewals=row["renewals"],
    )


def content_from_row(row: Row) -> dict[str, str]:
    """What the link was asked to be, by field."""
    content: dict[str, str] = load(row["content_json"])
    return content


def provider_link_row(link_id: str, behind: ProviderLink, written: Written, *, tenant: str) -> Parameters:
    """Every column of a link at a provider, but for its place, which the statement counts."""
    assert behind.ends_at is not None, "only a link without a store may have no end"
    return {
        "tenant": tenant,
        "id": behind.id,
        "link_id": link_id,
        "provider": behind.provider,
        "status": str(behind.status),
        "vendor_id": behind.vendor_id,
        "url": behind.url,
        "written_json": written_json(written),
        "close_key": None,
        "asked_at": micros(behind.asked_at),
        "expires_at": micros(behind.ends_at),
        "amount_minor": None if behind.asks is None else behind.asks.minor,
        "max_payments": behind.max_payments,
    }


def provider_link_from_row(row: Row) -> ProviderLink:
    """The link at a provider of one joined row."""
    minor: int | None = row[f"{BEHIND}amount_minor"]
    return ProviderLink(
        id=row[f"{BEHIND}id"],
        provider=row[f"{BEHIND}provider"],
        status=ProviderLinkStatus(row[f"{BEHIND}status"]),
        asked_at=moment(row[f"{BEHIND}asked_at"]),
        vendor_id=row[f"{BEHIND}vendor_id"],
        url=row[f"{BEHIND}url"],
        asks=None if minor is None else Money.read(minor, row["currency"]),
        max_payments=row[f"{BEHIND}max_payments"],
        ends_at=moment(row[f"{BEHIND}expires_at"]),
    )


def written_json(written: Written) -> str:
    """A request, so that the same bytes can go out again, with those that follow it."""
    return dump(_written_tree(written))


def written_from_json(text: str) -> Written:
    """The request that `written_json` wrote, byte for byte."""
    return _written_from(load(text))


def _written_tree(written: Written) -> dict[str, object]:
    try:
        body, coding = written.body.decode("utf-8"), "text"
    except UnicodeDecodeError:
        body, coding = base64.b64encode(written.body).decode("ascii"), "base64"
    tree: dict[str, object] = {
        "method": written.method,
        "path": written.path,
        "body": body,
        "coding": coding,
        "content_type": written.content_type,
        "key": written.key,
        "key_until": micros(written.key_until),
        "version": written.version,
    }
    return tree | ({"then": [_written_tree(each) for each in written.then]} if written.then else {})


def _written_from(read: Mapping[str, Any]) -> Written:
    body: str = read["body"]
    return Written(
        method=read["method"],
        path=read["path"],
        body=base64.b64decode(body) if read["coding"] == "base64" else body.encode("utf-8"),
        content_type=read["content_type"],
        key=read["key"],
        key_until=moment(read["key_until"]),
        version=read["version"],
        then=tuple(_written_from(each) for each in read.get("then", ())),
    )

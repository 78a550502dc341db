"""Values for the store's tests: plain ones, and Hypothesis strategies for any that can be made."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from paybylink.accounting.entries import Entry, Line, entry_key
from paybylink.address import Address
from paybylink.checkout import Capture, Checkout
from paybylink.events import LinkPaid
from paybylink.flow import Written
from paybylink.kinds import HostedInvoice, Invoice, InvoiceBound, InvoiceType, LinkKind, Reusable, SingleUse
from paybylink.lines import LineItem, VatGroup, vat_groups
from paybylink.links import LinkStatus, Mode, PaymentLink, ProviderLink, ProviderLinkStatus, link_content
from paybylink.messages import Delivery, Medium, Message, Outcome, Purpose
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.payments import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentFlag,
    PaymentStatus,
    Refund,
    RefundStatus,
)

NOW = dt.datetime(2026, 11, 23, 20, 0, 0, 123456, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
EUR = "EUR"


def order(reference: str = "INV-1", **content: Any) -> Order:
    """An order over 49.90 EUR, unless told otherwise."""
    content.setdefault("amount", Money.of("49.90", EUR))
    content.setdefault("customer", Customer(name="Zoé Martin", email="zoe@example.com", language="fr"))
    return Order(reference=reference, **content)


def link(link_id: str = "L1", *, reference: str = "INV-1", **content: Any) -> PaymentLink:
    """A pending link without anything behind it, unless told otherwise."""
    content.setdefault("order", order(reference))
    content.setdefault("kind", SingleUse())
    content.setdefault("status", LinkStatus.PENDING)
    content.setdefault("expires_at", NOW + 30 * DAY)
    return PaymentLink(
        id=link_id, token=f"token-{link_id}", mode=Mode.TEST, provider="stripe", created_at=NOW, **content
    )


def content_of(given: PaymentLink) -> dict[str, str]:
    """What a caller of `create_link` would compare it with."""
    return link_content(
        given.order,
        given.kind,
        expires_in=given.expires_in,
        expires_at=None if given.expires_in else given.expires_at,
    )


def attempt(attempt_id: str = "P1", **content: Any) -> ProviderLink:
    """A request to a provider that was not answered yet."""
    content.setdefault("status", ProviderLinkStatus.ASKED)
    content.setdefault("asked_at", NOW)
    content.setdefault("ends_at", NOW)
    return ProviderLink(id=attempt_id, provider="stripe", **content)


def written(body: bytes = b"amount=4990&currency=eur") -> Written:
    """A request ready to be sent."""
    return Written(
        method="POST",
        path="/v1/payment_links",
        body=body,
        content_type="application/x-www-form-urlencoded",
        key="0123456789abcdef",
        key_until=NOW + DAY,
        version="2026-01-01",
    )


def payment(payment_id: str = "PAY1", **content: Any) -> Payment:
    """A payment of 49.90 EUR that succeeded, unless told otherwise."""
    content.setdefault("vendor_id", f"pi_{payment_id}")
    content.setdefault("amount", Money.of("49.90", EUR))
    content.setdefault("status", PaymentStatus.SUCCEEDED)
    content.setdefault("at", NOW)
    return Payment(id=payment_id, provider="stripe", mode=Mode.TEST, **content)


def refund(refund_id: str = "R1", **content: Any) -> Refund:
    """A refund of 10 EUR that is asked for."""
    content.setdefault("payment_id", "PAY1")
    content.setdefault("amount", Money.of("10.00", EUR))
    content.setdefault("status", RefundStatus.PENDING)
    content.setdefault("reference", f"AV-{refund_id}")
    return Refund(id=refund_id, provider="stripe", requested_at=NOW, **content)


def dispute(**content: Any) -> Dispute:
    """A dispute over 49.90 EUR, just opened."""
    content.setdefault("status", DisputeStatus.OPEN)
    return Dispute(
        id="D1",
        provider="stripe",
        vendor_id="dp_1",
        payment_vendor_id="pi_PAY1",
        amount=Money.of("49.90", EUR),
        at=NOW,
        **content,
    )


def delivery(delivery_id: str = "DEL1", **content: Any) -> Delivery:
    """A mail whose outcome is unknown yet."""
    content.setdefault("link_id", "L1")
    content.setdefault("recipient", "zoe@example.com")
    content.setdefault("outcome", Outcome.UNKNOWN)
    content.setdefault("medium", Medium.EMAIL)
    content.setdefault("reserved_at", NOW)
    return Delivery(id=delivery_id, channel="smtp", purpose=Purpose.REQUEST, **content)


def message(recipient: str = "zoe@example.com", medium: Medium = Medium.EMAIL) -> Message:
    """What such a mail says."""
    return Message(
        medium=medium,
        recipient=recipient,
        content=b"Subject: =?utf-8?q?pay?=\r\n\r\n\xc3\xa9\x00\xff",
        language="fr",
        subject="À payer",
        needs_utf8=True,
    )


def paid(event_id: str = "E1", link_id: str = "L1") -> LinkPaid:
    """An event for a host's handlers."""
    return LinkPaid(
        id=event_id,
        at=NOW,
        link_id=link_id,
        reference="INV-1",
        payment_id="PAY1",
        amount=Money.of("49.90", EUR),
        flags=frozenset({PaymentFlag.LATE}),
    )


def entry(entry_id: str = "EN1", *, day: dt.date = dt.date(2026, 11, 23), **content: Any) -> Entry:
    """Money on the clearing account, owed by a customer no more."""
    month = day.isoformat()[:7]
    content.setdefault("amount", 4990)
    amount = content.pop("amount")
    content.setdefault("key", entry_key("stripe", f"pi_{entry_id}", "payment"))
    content.setdefault("customer_id", "L1")
    return Entry(
        id=entry_id,
        journal="PL",
        date=day,
        piece="INV-1",
        label="Paiement INV-1",
        currency=EUR,
        created_at=NOW,
        lines=(
            Line(account="51151", debit_minor=amount, month=month, provider="stripe", kind="single_use"),
            Line(
                account="411",
                aux="C0042",
                credit_minor=amount,
                fx=Money.of("55.00", "USD"),
                month=month,
                provider="stripe",
                method="card",
            ),
        ),
        **content,
    )


# Anything that a caller may type and that our values take: one plain line.
_LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40).filter(
    lambda text: bool(text.strip())
)
_MAYBE = st.none() | _LINE
_MOMENTS = st.integers(-(10**15), 10**16).map(lambda micros: NOW + dt.timedelta(microseconds=micros // 5))
_AMOUNTS = st.builds(Money, st.integers(1, 10**9), st.sampled_from(["EUR", "JPY", "KWD", "USD"]))
_STORED = st.builds(Money.read, st.integers(1, 10**17), st.sampled_from(["EUR", "HRK", "JPY", "BHD"]))
_RATES = st.none() | st.decimals(0, 100, places=2)
_CUSTOMERS = st.builds(
    Customer,
    name=_LINE,
    email=st.none() | st.emails(),
    phone=_MAYBE,
    language=_MAYBE.map(lambda text: text and text[:35]).filter(
        lambda text: text is None or bool(text.strip())
    ),
    code=_LINE,
    country=st.none() | st.sampled_from(["FR", "BE", "DE"]),
    address=st.none()
    | st.builds(
        Address,
        street=_LINE,
        city=_LINE,
        postal_code=st.just("75011"),
        country=st.sampled_from(["FR", "BE"]),
        house_number=st.just("") | st.just("12 bis"),
    ),
    organisation=st.just("") | _LINE,
    vat_number=st.just("") | st.just("FR40303265045"),
)


_METHODS = st.lists(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), max_size=2)
_CHECKOUTS = st.builds(
    Checkout,
    methods=_METHODS,
    language=st.none() | st.just("fr-CA"),
    statement=st.just("") | st.just("ATELIER ZOÉ"),
    capture=st.sampled_from(Capture),
    prefill=st.booleans(),
    extra=st.just({}) | st.just({"stripe": {"submit_type": "pay", "custom_fields": [{"key": "é"}]}}),
) | st.builds(
    Checkout,
    blocked_methods=_METHODS,
    capture_after=st.none() | st.integers(1, 28 * 24).map(lambda hours: dt.timedelta(hours=hours)),
)


@st.composite
def _orders(draw: st.DrawFn) -> Order:
    lines = draw(
        st.lists(
            st.builds(
                LineItem,
                description=_LINE,
                unit_price=st.builds(Money, st.integers(100, 10**6), st.just("EUR")),
                quantity=st.decimals(Decimal("0.1"), 100, places=3),
                vat_rate=_RATES,
                vat_included=st.booleans(),
            ),
            max_size=3,
        )
    )
    total = sum((group.gross for group in vat_groups(lines)), Money(0, EUR))
    return Order(
        reference=draw(_LINE),
        amount=total if lines else draw(_AMOUNTS),
        description=draw(st.just("") | _LINE),
        lines=tuple(lines),
        customer=draw(st.none() | _CUSTOMERS),
        part=draw(st.just("") | _LINE),
        return_url=draw(st.none() | st.just("https://shop.example/done?x=é")),
        metadata=draw(
            st.dictionaries(st.text("abcdefghij_", min_size=1, max_size=12), st.just("") | _LINE, max_size=4)
        ),
        tags=tuple(draw(st.lists(_LINE, max_size=3))),
        checkout=draw(st.just(Checkout()) | _CHECKOUTS),
    )


ORDERS = _orders()


@st.composite
def _kinds(draw: st.DrawFn, amount: Money) -> LinkKind:
    chosen = draw(st.sampled_from(["single_use", "reusable", "invoice", "payer_chooses", "hosted_invoice"]))
    if chosen == "hosted_invoice":
        return HostedInvoice(due_in_days=draw(st.integers(1, 365)))
    if chosen == "payer_chooses":
        least = draw(st.none() | st.integers(1, amount.minor))
        minimum = None if least is None else Money.read(least, amount.currency)
        return Reusable(payer_chooses=True, minimum=minimum)
    if chosen == "single_use":
        return SingleUse()
    if chosen == "reusable":
        return Reusable(max_payments=draw(st.none() | st.integers(1, 1000)))
    groups = st.builds(VatGroup, rate=_RATES, net=_AMOUNTS, vat=_AMOUNTS, gross=_AMOUNTS)
    issued = draw(st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1)))
    due = draw(st.none() | st.integers(0, 400))
    return InvoiceBound(
        Invoice(
            number=draw(_LINE),
            open_amount=amount,
            type=draw(st.sampled_from(InvoiceType)),
            issued_on=issued,
            due_on=None if due is None else (issued or dt.date(2026, 1, 1)) + dt.timedelta(days=due),
            vat_groups=tuple(draw(st.lists(groups, max_size=3))),
        )
    )


@st.composite
def _links(draw: st.DrawFn) -> PaymentLink:
    asked = draw(ORDERS)
    url = draw(st.just("") | st.just("https://pay.vendor.example/abc"))
    currency = asked.amount.currency
    behind = draw(
        st.lists(
            st.builds(
                ProviderLink,
                id=st.uuids().map(str),
                provider=_LINE,
                status=st.sampled_from(ProviderLinkStatus),
                asked_at=_MOMENTS,
                vendor_id=st.none() | st.uuids().map(str),
                url=st.none() | st.just(url or "https://pay.vendor.example/x"),
                asks=st.none() | st.integers(1, 10**12).map(lambda minor: Money.read(minor, currency)),
                max_payments=st.none() | st.integers(1, 1000),
                ends_at=_MOMENTS,
            ),
            max_size=3,
        )
    )
    return PaymentLink(
        id=draw(st.uuids().map(str)),
        token=draw(st.uuids().map(str)),
        order=asked,
        kind=draw(_kinds(asked.amount)),
        status=draw(st.sampled_from(LinkStatus)),
        mode=draw(st.sampled_from(Mode)),
        provider=draw(_LINE),
        created_at=draw(_MOMENTS),
        expires_at=draw(_MOMENTS),
        expires_in=draw(st.none() | st.integers(1, 10**8).map(lambda seconds: dt.timedelta(seconds=seconds))),
        url=url,
        provider_links=tuple(behind),
        paid_amount=Money.read(draw(st.integers(0, 10**12)), asked.amount.currency),
        payments=draw(st.integers(0, 10**6)),
        version=draw(st.integers(1, 10**6)),
        generation=draw(st.integers(1, 100)),
        renewals=draw(st.integers(0, 100)),
    )


LINKS = _links()


@st.composite
def _payments(draw: st.DrawFn) -> Payment:
    amount = draw(_STORED)
    return Payment(
        id=draw(st.uuids().map(str)),
        provider=draw(_LINE),
        vendor_id=draw(_LINE),
        amount=amount,
        status=draw(st.sampled_from(PaymentStatus)),
        mode=draw(st.sampled_from(Mode)),
        at=draw(_MOMENTS),
        link_id=draw(_MAYBE),
        reference=draw(st.just("") | _LINE),
        part=draw(st.just("") | _LINE),
        method=draw(st.just("") | _LINE),
        flags=frozenset(draw(st.sets(st.sampled_from(PaymentFlag)))),
        refunded=Money.read(draw(st.integers(0, amount.minor)), amount.currency),
        vendor_status=draw(st.just("") | _LINE),
        version=draw(st.integers(1, 10**6)),
    )


PAYMENTS = _payments()
REFUNDS = st.builds(
    Refund,
    id=st.uuids().map(str),
    payment_id=_LINE,
    provider=_LINE,
    amount=_STORED,
    status=st.sampled_from(RefundStatus),
    requested_at=_MOMENTS,
    reference=st.just("") | _LINE,
    vendor_id=_MAYBE,
    reason=st.just("") | _LINE,
    vendor_status=st.just("") | _LINE,
    version=st.integers(1, 10**6),
)
DISPUTES = st.builds(
    Dispute,
    id=st.uuids().map(str),
    provider=_LINE,
    vendor_id=_LINE,
    payment_vendor_id=_LINE,
    amount=_STORED,
    status=st.sampled_from(DisputeStatus),
    at=_MOMENTS,
    reason=st.just("") | _LINE,
    respond_by=st.none() | _MOMENTS,
)
DELIVERIES = st.builds(
    Delivery,
    id=st.uuids().map(str),
    link_id=_LINE,
    channel=_LINE,
    medium=st.sampled_from(Medium),
    purpose=st.sampled_from(Purpose),
    recipient=_LINE,
    outcome=st.sampled_from(Outcome),
    reserved_at=_MOMENTS,
    key=st.just("") | _LINE,
    vendor_id=_MAYBE,
    attempts=st.integers(0, 100),
    detail=st.just("") | _LINE,
    retry_at=st.none() | _MOMENTS,
    version=st.integers(1, 10**6),
)


def _written(then: st.SearchStrategy[tuple[Written, ...]]) -> st.SearchStrategy[Written]:
    return st.builds(
        Written,
        method=st.sampled_from(["POST", "PATCH"]),
        path=_LINE,
        body=st.binary(max_size=60),
        content_type=_LINE,
        key=st.just("") | _LINE,
        key_until=_MOMENTS,
        version=st.just("") | _LINE,
        then=then,
    )


WRITTEN = _written(st.lists(_written(st.just(())), max_size=2).map(tuple))

"""
Orders of every sort, made by Hypothesis, for what the Stripe adapter writes.

Mostly such as Stripe takes; sometimes too much, too fine or too long, so that the refusals are met as well.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from paybylink.address import Address
from paybylink.checkout import Checkout
from paybylink.currencies import CURRENT
from paybylink.errors import InvalidInput
from paybylink.kinds import Invoice, InvoiceBound, LinkKind, Reusable, SingleUse
from paybylink.lines import LineItem
from paybylink.money import MAX_MINOR, Money
from paybylink.orders import Customer, Order

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), min_size=1, max_size=250
).filter(str.strip)
currencies = st.sampled_from(sorted(CURRENT))


@st.composite
def amounts(draw: st.DrawFn, currency: str) -> Money:
    # Mostly amounts that Stripe takes, in all currencies; sometimes any.
    usual = st.integers(1, 999_999).map(lambda tens: tens * 10)
    return Money(draw(st.one_of(usual, usual, st.integers(1, MAX_MINOR))), currency)


@st.composite
def lines(draw: st.DrawFn, currency: str) -> LineItem:
    quantity = draw(st.one_of(st.integers(1, 2_000_000), st.decimals("0.001", "99", places=3)))
    return LineItem(
        description=draw(texts),
        unit_price=Money(draw(st.integers(-500, 500_000)), currency),
        quantity=Decimal(quantity),
        vat_rate=draw(st.sampled_from([None, 0, Decimal("5.5"), 10, 20, Decimal("8.875")])),
        vat_included=draw(st.booleans()),
    )


METHODS = ["card", "ideal", "sepa_debit", "przelewy24", "bancontact", "klarna"]
TAGS = [None, "fr", "fr-BE", "es-MX", "eu"]


@st.composite
def checkouts(draw: st.DrawFn) -> Checkout:
    return Checkout(
        methods=draw(st.lists(st.sampled_from(METHODS), max_size=3)),
        blocked_methods=draw(st.sampled_from([(), (), ("blik",)])),
        language=draw(st.sampled_from([None, None, "de"])),
        statement=draw(st.sampled_from(["", "Atelier 31"])),
        capture=draw(st.sampled_from(["automatic", "automatic", "manual"])),
        prefill=draw(st.booleans()),
        extra=draw(
            st.sampled_from(
                [{}, {}, {"mollie": {"x": 1}}, {"stripe": {"phone_number_collection": {"enabled": True}}}]
            )
        ),
    )


addresses = st.builds(
    Address,
    street=texts.map(lambda text: text[:200]).filter(str.strip),
    city=st.just("Nantes"),
    postal_code=st.just("44000"),
    country=st.sampled_from(["FR", "BE"]),
    extra=st.sampled_from(["", "2e étage"]),
)
customers = st.builds(
    Customer,
    name=texts.map(lambda text: text[:140]).filter(str.strip),
    email=st.sampled_from(["zoe@example.com", "a+b&c@example.com"]),
    language=st.sampled_from(TAGS),
    organisation=st.sampled_from(["", "Atelier & Fils SARL"]),
    vat_number=st.sampled_from(["", "FR12345678901"]),
    address=st.one_of(st.none(), addresses),
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    currency = draw(currencies)
    sold = draw(st.lists(lines(currency), max_size=5))
    content: dict[str, Any] = {"lines": sold} if sold else {"amount": draw(amounts(currency))}
    try:
        return Order(
            reference=draw(texts.map(lambda text: text[:80]).filter(str.strip)),
            description=draw(st.one_of(st.just(""), texts)),
            part=draw(st.sampled_from(["", "deposit", "solde n° 2"])),
            return_url=draw(st.sampled_from([None, "https://shop.example/é?a=[1]&s={CHECKOUT_SESSION_ID}"])),
            metadata=draw(
                st.dictionaries(
                    st.text("abcdefgh_-.é ", min_size=1, max_size=20),
                    texts.map(lambda text: text[:80]),
                    max_size=20,
                )
            ),
            customer=draw(st.one_of(st.none(), customers)),
            checkout=draw(checkouts()),
            **content,
        )
    except InvalidInput:
        assume(False)
        raise


@st.composite
def kinds(draw: st.DrawFn, order: Order) -> LinkKind:
    several: list[LinkKind] = [
        SingleUse(),
        SingleUse(),
        Reusable(),
        Reusable(max_payments=7),
        Reusable(payer_chooses=True),
        Reusable(payer_chooses=True, minimum=Money(order.amount.minor, order.amount.currency)),
        InvoiceBound(Invoice(number="F2026-0042 é", open_amount=order.amount)),
    ]
    return draw(st.sampled_from(several))

"""
The hooks that the author of a provider fills in, so that the checks can reach it and its vendor.

`provider` has to be given. Every other hook has a default, or none; a check that needs one which was not given is
skipped and says which. Hooks are plain methods: a subclass may use pytest's fixtures, a sandbox, recorded replies,
or an account of its own at the vendor's test platform.
"""

from __future__ import annotations

import datetime as dt
import unittest
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

import httpx
from attrs import field, frozen

from paybylink.address import Address
from paybylink.checkout import Capture, Checkout
from paybylink.identifiers import Identifiers
from paybylink.kinds import HostedInvoice, Invoice, InvoiceBound, LinkKind, Reusable, SingleUse
from paybylink.lines import LineItem
from paybylink.money import Money
from paybylink.orders import Customer, Order
from paybylink.providers.base import Feature, Provider, VendorLink

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

#: Where the contract is described for people.
GUIDE = "https://paybylink.readthedocs.io/contributing/add-a-provider/"
DAY = dt.timedelta(days=1)


class How(StrEnum):
    """How a payer fares."""

    CARD = "card"  #: he pays, and the money is certain
    DELAYED = "delayed"  #: he pays by a method whose money comes later
    DECLINED = "declined"  #: his card is declined


class Alteration(StrEnum):
    """What is changed in something that the vendor wrote."""

    MODE = "mode"  #: test becomes live, live becomes test
    PAYMENT_STATUS = "payment status"  #: every payment's status becomes a word that nobody knows
    BALANCE_KIND = (
        "balance kind"  #: the kind of every movement of the balance becomes a word that nobody knows
    )


@frozen(kw_only=True)
class Webhook:
    """
    One message as the vendor sent it.

    Attributes:
        headers, body: as they came.
        query: of the address that was called, without its question mark.
    """

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: str = field(default="", repr=False)


class ProviderHooks:
    """What the checks ask of the author of a provider."""

    # What is checked

    def provider(self) -> Provider:
        """The provider, made as its users make it. The one hook that has to be given."""
        raise NotImplementedError(f"give provider(): see {GUIDE}")

    # How it is reached

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the vendor answers, where nothing shall leave the process; not given, requests go out over HTTP."""
        raise NotImplementedError

    def now(self) -> dt.datetime:
        """The moment at the vendor; aware."""
        return dt.datetime.now(dt.UTC)

    def fresh(self, word: str) -> str:
        """
        A new id, key or reference; recorded replies need one that is always the same.

        Args:
            word: what it is for: ``key``, ``link``, ``attempt``, ``refund`` or ``reference``.
        """
        return Identifiers().key() if word == "key" else Identifiers().row(self.now())

    # What is asked for

    def order(self, **changes: object) -> Order:
        """An order that the vendor takes."""
        content: dict[str, object] = {
            "reference": f"R-{self.fresh('reference')}",
            "amount": Money(4990, "EUR"),
            "description": "Logo design",
        }
        return Order(**{**content, **changes})  # type: ignore[arg-type]  # what changes is the caller's business

    def asking(self, feature: Feature) -> tuple[Order, LinkKind]:
        """An order and a kind that make use of a feature; to be replaced where the vendor restricts it."""
        kinds: dict[Feature, LinkKind] = {
            Feature.REUSABLE: Reusable(),
            Feature.MAX_PAYMENTS: Reusable(max_payments=3),
            Feature.PAYER_CHOOSES: Reusable(payer_chooses=True, minimum=Money(500, "EUR")),
            Feature.INVOICE_BOUND: InvoiceBound(Invoice(number="F2026-0042", open_amount=Money(4990, "EUR"))),
            Feature.HOSTED_INVOICE: HostedInvoice(due_in_days=14),
        }
        lines = (LineItem(description="Logo", quantity=1, unit_price=Money(4990, "EUR"), vat_rate=20),)
        contents: dict[Feature, dict[str, object]] = {
            Feature.HOSTED_INVOICE: {"customer": self.customer(), "lines": lines},
            Feature.LINE_ITEMS: {"lines": lines},
            Feature.PREFILL: {"customer": self.customer(), "checkout": Checkout(prefill=True)},
            Feature.LANGUAGE: {"checkout": Checkout(language="fr")},
            Feature.RETURN_URL: {"return_url": "https://shop.example/thanks"},
            Feature.METADATA: {"metadata": {"department": "design"}},
            Feature.ALLOW_METHODS: {"checkout": Checkout(methods="card")},
            Feature.BLOCK_METHODS: {"checkout": Checkout(blocked_methods="sepa_debit")},
            Feature.STATEMENT: {"checkout": Checkout(statement="ATELIER")},
            Feature.MANUAL_CAPTURE: {"checkout": Checkout(capture=Capture.MANUAL)},
            Feature.DELAYED_CAPTURE: {"checkout": Checkout(capture_after=2 * DAY)},
        }
        return self.order(**contents.get(feature, {})), kinds.get(feature, SingleUse())

    def customer(self) -> Customer:
        """A customer of whom everything is known."""
        return Customer(
            name="Zoé Martin",
            email="zoe@example.com",
            phone="+33639980001",
            language="fr",
            country="FR",
            address=Address(
                street="rue de la Paix", house_number="12", city="Paris", postal_code="75002", country="FR"
            ),
        )

    def too_much(self) -> tuple[Order, Sequence[str]]:
        """An order that breaks two limits of the vendor or more, and the paths that the error must name."""
        raise self.not_given("too_much")

    def some_id(self) -> str:
        """An id that the vendor might have given to a payment; to be replaced where its ids have a form."""
        return "0123456789ABCDEF"

    def secrets(self) -> Sequence[str]:
        """What must be printed nowhere: the key, the webhooks' secrets, a password."""
        raise self.not_given("secrets")

    # What the vendor says

    def refusal(self, request: httpx.Request, *, status: int, told: str) -> httpx.Response:
        """The vendor's answer that refuses `request`, with `told` wherever it writes free text."""
        said = {"message": told, "detail": told, "title": told, "error": {"message": told, "type": "refused"}}
        return httpx.Response(status, json=said, request=request)

    def altered(self, content: bytes, what: Alteration) -> bytes:
        """The body of an answer or of a webhook, changed in one respect; unchanged where it does not say."""
        raise self.not_given("altered", why=f"to change the {what} in what the vendor writes")

    # What happens at the vendor

    def pay(self, link: VendorLink, how: How) -> None:
        """Pay a link as its payer; when it returns, webhooks have been told."""
        raise self.not_given("pay")

    def settle(self, link: VendorLink, *, succeeded: bool = True) -> None:
        """Let the delayed payments of a link come, or fail; and what was only received (a refund) be done."""
        raise self.not_given("settle")

    def dispute(self, payment_vendor_id: str) -> None:
        """Let the payer contest a payment."""
        raise self.not_given("dispute")

    def pay_out(self) -> None:
        """Let the vendor pay the balance out, so that its settlements can be read."""
        raise self.not_given("pay_out")

    # Webhooks

    def webhooks(self) -> Sequence[Webhook]:
        """What the vendor has told so far, oldest first."""
        raise self.not_given("webhooks")

    def notify_url(self, link_id: str, attempt_id: str) -> str | None:
        """Where the vendor shall tell news of one link, for those that are told so by link."""
        return None

    def unsigned(self, webhook: Webhook) -> Webhook:
        """The same message without its signature; to be replaced where that stands in the body."""
        return Webhook(headers={}, body=webhook.body, query=webhook.query)

    def signing(self) -> tuple[str, str]:
        """The secret by which the vendor signs, and another one of the same form."""
        raise self.not_given("signing")

    def provider_with(self, secrets: Sequence[str]) -> Provider:
        """The provider with these secrets for its webhooks."""
        raise self.not_given("provider_with")

    def not_given(self, hook: str, *, why: str = "") -> unittest.SkipTest:
        """What skips a check, since the subclass gives no such hook."""
        return unittest.SkipTest(f"{hook}() is not given{f', {why}' if why else ''}; see {GUIDE}")

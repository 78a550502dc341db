"""
Mollie as the frame sees it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.routing import Route

from paybylink.sandbox.engine import Document, Engine
from paybylink.sandbox.mollie import (
    chargebacks,
    checkout,
    links,
    paying,
    payments,
    refunds,
    routes,
    settlements,
)
from paybylink.sandbox.mollie.amounts import HOME, display, units
from paybylink.sandbox.mollie.events import carriage, register
from paybylink.sandbox.mollie.lists import Shelf
from paybylink.sandbox.mollie.truth import truth
from paybylink.sandbox.mollie.wire import HAL, error
from paybylink.sandbox.vendor import (
    Act,
    Attempted,
    Carriage,
    Confirmation,
    FalseReply,
    LinkRow,
    Listed,
    Payable,
    PaymentRow,
    Refused,
    Registration,
    Rows,
)

_SHELVES: dict[Listed, Shelf] = {"links": links.SHELF, "payments": payments.SHELF, "refunds": refunds.SHELF}
_UNSETTLED = ("pending", "authorized")
_ON_THE_WAY = frozenset({"queued", "pending", "processing"})
_PHRASES = {
    401: "There is no valid API key or access token in the Authorization header.",
    409: "A request with this idempotency key is still being worked on.",
    429: "Too many requests; slow down.",
}


class MollieVendor:
    """Mollie; see `paybylink.sandbox.vendor.Vendor` for what each method promises."""

    name = "mollie"
    title = "Mollie"
    key_hint = "any test_ key"
    batches = False

    def routes(self, engine: Engine) -> list[Route]:
        return routes.mollie_routes(engine)

    def false_reply(self, engine: Engine, status: int) -> FalseReply:
        body = error(status, _PHRASES.get(status, "Something went wrong on the sandbox's end."))
        return FalseReply(body, {"content-type": HAL})

    def expire_due(self, engine: Engine) -> None:
        routes.expire_due(engine)

    def find(self, engine: Engine, identifier: str, act: Act) -> Payable | None:
        found = checkout.Checkout.of(engine, identifier)
        return None if found is None else found.shown(act)

    def pay(self, engine: Engine, identifier: str, act: Act) -> Attempted:
        return checkout.pay(engine, identifier, act)

    def confirmation(self, engine: Engine, identifier: str) -> Confirmation | None:
        return checkout.confirmation(engine, identifier)

    def settle(self, engine: Engine, target: str, *, succeeded: bool) -> list[str]:
        named = urlsplit(target).path.rstrip("/").rpartition("/")[2]
        waiting = [
            payment
            for status in _UNSETTLED
            for payment in engine.find("mollie.payment", ("status", "=", status), newest_first=False)
            if named in {payment["id"], payment["_link"]}
        ]
        return [str(paying.settle(engine, payment, succeeded=succeeded)["id"]) for payment in waiting]

    def finish(self, engine: Engine, identifier: str, *, succeeded: bool) -> Document | None:
        refund = engine.get("mollie.refund", identifier)
        if refund is None or refund["status"] not in _ON_THE_WAY:
            return None
        done = refunds.settle(engine, refund) if succeeded else refunds.fail(engine, refund)
        return refunds.view(engine, done)

    def fail_refund(self, engine: Engine, refund: str) -> Document | None:
        found = engine.get("mollie.refund", refund)
        if found is None or found["status"] not in {*_ON_THE_WAY, "refunded"}:
            return None
        return refunds.view(engine, refunds.fail(engine, found))

    def dispute(self, engine: Engine, payment: str, *, reason: str, amount: int | None) -> Document | None:
        found = engine.get("mollie.payment", payment)
        if found is None or found["status"] != "paid":
            return None
        return chargebacks.view(engine, chargebacks.receive(engine, found, reason=reason, minor=amount))

    def close_dispute(self, engine: Engine, dispute: str, *, won: bool) -> Document | None:
        found = engine.get("mollie.chargeback", dispute)
        if found is None:
            return None
        if found["_outcome"] != "open":
            raise Refused(f"{dispute} is closed already.")
        return chargebacks.view(engine, chargebacks.close(engine, found, won=won))

    def payout(self, engine: Engine, *, currency: str | None) -> Document:
        settlement = settlements.payout(engine) if currency in {None, HOME} else None
        if settlement is None:
            raise Refused("Nothing waits to be paid out.")
        return settlements.view(engine, settlement)

    def truth(self, engine: Engine) -> Document:
        return truth(engine)

    def register(self, engine: Engine, registration: Registration) -> Document:
        return register(engine, registration)

    def carriage(self, engine: Engine, events: list[str], endpoint: str) -> Carriage | None:
        return carriage(engine, events[0], endpoint)

    def accepts(self, status: int) -> bool:
        return status == 200

    def listing(self, engine: Engine, what: Listed) -> list[Document]:
        shelf = _SHELVES[what]
        return [shelf.view(engine, document) for document in engine.find(shelf.kind, newest_first=False)]

    def rows(self, engine: Engine) -> Rows:
        return Rows(
            tuple(
                LinkRow(
                    id=link["id"],
                    url=f"{engine.base_url}/pay/{link['id']}",
                    text=link["description"],
                    amount="chosen by the payer" if link["amount"] is None else _display(link["amount"]),
                    state=links.state(engine, link),
                )
                for link in engine.find("mollie.link", limit=100)
            ),
            tuple(
                PaymentRow(
                    id=payment["id"],
                    amount=_display(payment["amount"]),
                    state=payment["status"],
                    waiting=payment["status"] in _UNSETTLED,
                )
                for payment in engine.find("mollie.payment", limit=100)
            ),
        )


def _display(given: Document) -> str:
    return display(units(given), given["currency"])

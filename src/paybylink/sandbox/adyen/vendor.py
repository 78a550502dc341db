"""
Adyen as the frame sees it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.routing import Route

from paybylink.sandbox.adyen import (
    balance,
    disputes,
    events,
    links,
    modifications,
    paying,
    payments,
    truth,
)
from paybylink.sandbox.adyen.amounts import display
from paybylink.sandbox.adyen.routes import adyen_routes
from paybylink.sandbox.adyen.wire import false_error
from paybylink.sandbox.engine import Document, Engine, shown
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
    Registration,
    Rows,
)


class AdyenVendor:
    """Adyen; see `paybylink.sandbox.vendor.Vendor` for what each method promises."""

    name = "adyen"
    title = "Adyen"
    key_hint = "any key of 8 characters or more"
    batches = True

    def routes(self, engine: Engine) -> list[Route]:
        return adyen_routes(engine)

    def false_reply(self, engine: Engine, status: int) -> FalseReply:
        return FalseReply(*false_error(engine, status))

    def expire_due(self, engine: Engine) -> None:
        links.expire_due(engine)
        payments.do_due(engine)

    def find(self, engine: Engine, identifier: str, act: Act) -> Payable | None:
        link = engine.get(links.KIND, identifier)
        return None if link is None else paying.shown_page(link, act)

    def pay(self, engine: Engine, identifier: str, act: Act) -> Attempted:
        link = engine.get(links.KIND, identifier)
        if link is None:
            raise LookupError(f"{identifier} is gone")
        return paying.attempt(engine, link, act)

    def confirmation(self, engine: Engine, identifier: str) -> Confirmation | None:
        return paying.confirmation(engine, identifier)

    def settle(self, engine: Engine, target: str, *, succeeded: bool) -> list[str]:
        named = urlsplit(target).path.rstrip("/").rpartition("/")[2]
        waiting = engine.find(payments.KIND, ("status", "=", "pending"), newest_first=False)
        return [
            payments.settle(engine, payment, succeeded=succeeded)["id"]
            for payment in waiting
            if named in {payment["id"], payment["link"]}
        ]

    def finish(self, engine: Engine, identifier: str, *, succeeded: bool) -> Document | None:
        done = modifications.finish(engine, identifier, succeeded=succeeded)
        if done is None:
            done = disputes.finish(engine, identifier)
        return None if done is None else shown(done)

    def fail_refund(self, engine: Engine, refund: str) -> Document | None:
        failed = modifications.fail_refund(engine, refund)
        return None if failed is None else shown(failed)

    def dispute(self, engine: Engine, payment: str, *, reason: str, amount: int | None) -> Document | None:
        found = engine.get(payments.KIND, payment)
        if found is None or found["status"] != "captured":
            return None
        return shown(disputes.opened(engine, found, reason=reason, amount=amount))

    def close_dispute(self, engine: Engine, dispute: str, *, won: bool) -> Document | None:
        found = engine.get(disputes.KIND, dispute)
        return None if found is None else shown(disputes.closed(engine, found, won=won))

    def payout(self, engine: Engine, *, currency: str | None) -> Document:
        return balance.payout(engine, currency)

    def truth(self, engine: Engine) -> Document:
        return truth.told(engine)

    def register(self, engine: Engine, registration: Registration) -> Document:
        return events.register(engine, registration)

    def carriage(self, engine: Engine, events_told: list[str], endpoint: str) -> Carriage | None:
        return events.carriage(engine, events_told, endpoint)

    def accepts(self, status: int) -> bool:
        return 200 <= status < 300

    def listing(self, engine: Engine, what: Listed) -> list[Document]:
        kind = {"links": links.KIND, "payments": payments.KIND, "refunds": modifications.KIND}[what]
        found = engine.find(kind, newest_first=False)
        return [shown(one) for one in found if what != "refunds" or one["path"] in {"refunds", "reversals"}]

    def rows(self, engine: Engine) -> Rows:
        return Rows(
            tuple(
                LinkRow(
                    id=link["id"],
                    url=link["url"],
                    text=link.get("description") or link["reference"],
                    amount=display(link["amount"]["value"], link["amount"]["currency"]),
                    state=link["status"] + (", reusable" if link.get("reusable") else ""),
                )
                for link in engine.find(links.KIND, limit=100)
            ),
            tuple(
                PaymentRow(
                    id=payment["id"],
                    amount=display(payment["amount"]["value"], payment["amount"]["currency"]),
                    state=f"{payment['status']} by {payment['told']}",
                    waiting=payment["status"] == "pending",
                )
                for payment in engine.find(payments.KIND, limit=100)
            ),
        )

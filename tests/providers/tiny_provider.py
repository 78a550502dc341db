"""A provider that nobody has, for the vendor in `tiny_vendor`: the least that the interface takes."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from attrs import field, frozen

from paybylink.checkout import Checkout
from paybylink.errors import Faults, IntegrityBreach, InvalidInput, OutcomeUnknown, WebhookRejected
from paybylink.flow import Call, Retry, Sending, Written
from paybylink.kinds import Reusable, SingleUse
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.payments import PaymentStatus, RefundStatus
from paybylink.providers import base
from paybylink.providers.base import Feature, LinkRequest, RefundRequest, VendorLink, VendorLinkStatus, need
from paybylink.providers.codes import refusal_of

HAS = "single_use reusable expiry cancel line_items return_url metadata find_link payments_of_link fetch_payment"
ALSO = "refund partial_refund find_refund webhooks"
WHY = base.unsupported("its page has an amount and a text, and the money is taken at once")
CAPABILITIES = {one: base.native() if one in f"{HAS} {ALSO}".split() else WHY for one in Feature}
CODES = {401: "unauthorised", 403: "forbidden", 404: "not_found", 422: "invalid_request", 429: "rate_limited"}
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
DAY = dt.timedelta(days=1)


@frozen(eq=False)
class TinyProvider:
    api_key: str = field(default="key_test_tiny", repr=False)
    secrets: Sequence[str] = field(default=("tiny-secret",), repr=False)
    name: str = "tiny"
    mode: Mode = Mode.TEST
    acknowledgement: bytes = b""
    capabilities: base.Capabilities = field(factory=lambda: CAPABILITIES, repr=False)

    def write_link(self, request: LinkRequest, *, key: str, now: dt.datetime) -> Written:
        order, faults = request.order, Faults()
        if order.checkout != Checkout() or request.kind not in (SingleUse(), Reusable()):
            need(self.capabilities, Feature.HOSTED_INVOICE, who=self.name)
        if order.amount.minor > 10**8 or order.amount.currency not in ("EUR", "USD"):
            faults.add("order.amount", "is not up to a million in EUR or USD", "ask for less")
        if len(order.description) > 100:
            faults.add("order.description", "is longer than 100", "shorten it")
        faults.raise_any()
        marks = {"link": request.link_id, "attempt": request.attempt_id, "text": order.description}
        return written("/links", marks, order.amount, key, now)

    def create_link(self, request: LinkRequest, *, written: Written) -> Call[VendorLink]:
        return self._link((yield from self._carry(written)), request)

    def ends_at(self, request: LinkRequest, *, now: dt.datetime) -> dt.datetime | None:
        return min(request.expires_at or now + 90 * DAY, now + 90 * DAY)

    def find_link(self, request: LinkRequest, *, since: dt.datetime, now: dt.datetime) -> Call[Any]:
        found = yield from self._ask("GET", f"/links?attempt={request.attempt_id}")
        return self._link(found["data"][0], request) if found["data"] else None

    def fetch_link(self, vendor_id: str) -> Call[VendorLink]:
        return self._link((yield from self._ask("GET", f"/links/{checked(vendor_id)}")))

    def close_link(self, vendor_id: str, *, key: str, now: dt.datetime) -> Call[VendorLink]:
        path, body = f"/links/{checked(vendor_id)}", b'{"state": "closed"}'
        return self._link((yield from self._ask("POST", path, body, key, now + DAY)))

    def payments_of(self, vendor_id: str) -> Call[Sequence[base.PaymentNotice]]:
        found = yield from self._ask("GET", f"/payments?of={checked(vendor_id)}")
        return [self._notice("payments", row) for row in found["data"]]

    def fetch_payment(self, vendor_id: str) -> Call[Any]:
        return self._notice("payments", (yield from self._ask("GET", f"/payments/{checked(vendor_id)}")))

    def write_refund(self, request: RefundRequest, *, key: str, now: dt.datetime) -> Written:
        marks = {"of": checked(request.payment_vendor_id), "refund": request.refund_id}
        return written("/refunds", marks, request.amount, key, now)

    def refund(self, request: RefundRequest, *, written: Written) -> Call[base.RefundNotice]:
        notice: base.RefundNotice = self._notice("refunds", (yield from self._carry(written)))
        if (notice.amount, notice.refund_id) != (request.amount, request.refund_id):
            raise IntegrityBreach(self.name, {"refund": "is another one"})
        return notice

    def find_refund(self, request: RefundRequest) -> Call[base.RefundNotice | None]:
        refunds = yield from self.refunds_of(request.payment_vendor_id)
        return next((one for one in refunds if one.refund_id == request.refund_id), None)

    def refunds_of(self, payment_vendor_id: str) -> Call[Sequence[base.RefundNotice]]:
        found = yield from self._ask("GET", f"/refunds?of={checked(payment_vendor_id)}")
        return [self._notice("refunds", row) for row in found["data"]]

    def _cannot(self, *_: Any, **__: Any) -> Call[Any]:
        yield from ()
        need(CAPABILITIES, Feature.SETTLEMENTS, who=self.name)

    reopen_link = methods_for = capture = cancel_payment = disputes_of = settlements = _cannot

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> None:
        given = headers.get("tiny-signature", "").encode("utf-8", "replace")
        if not any(hmac.compare_digest(signature(secret, body), given) for secret in self.secrets):
            raise WebhookRejected("the signature is not ours")

    def read(self, body: bytes, *, query: str = "") -> Sequence[base.ProviderEvent]:
        try:
            told = json.loads(body)
            notice = self._notice(told["kind"], told["row"])
            same = {"kind": told["kind"], "at": notice.at, "mode": notice.mode, "notice": notice}
            return [base.ProviderEvent(event_id=checked(told["id"]), **same)]
        except (*UNREADABLE, IntegrityBreach):
            raise WebhookRejected("it cannot be read") from None

    def _carry(self, one: Written) -> Call[Any]:
        return self._ask(one.method, one.path, one.body, one.key, one.key_until)

    def _ask(self, method: str, path: str, body: bytes = b"", key: str = "", until: Any = None) -> Call[Any]:
        sending = Sending(who=self.name, retry=Retry.KEYED if key else Retry.SAFE, key_until=until)
        headers = {"Authorization": f"Bearer {self.api_key}", "Idempotency-Key": key}
        request = httpx.Request(method, f"https://tiny.example{path}", headers=headers, content=body)
        request.extensions["paybylink"] = sending
        response = yield request
        try:
            if response.status_code == 200:
                return dict(json.loads(response.content))
        except (ValueError, TypeError):
            pass
        if key and response.status_code in (200, 500, 502, 503, 504):
            raise OutcomeUnknown(f"{self.name} gave no usable answer; call again", who=self.name)
        raise refusal_of(
            CODES.get(response.status_code, "refused"), who=self.name, status=response.status_code
        )

    def _link(self, row: Mapping[str, Any], request: LinkRequest | None = None) -> VendorLink:
        link, ours = None, False
        try:
            marks, same = {"link_id": row["link"], "attempt_id": row["attempt"]}, common(row)
            link = VendorLink(url=row["url"], status=VendorLinkStatus(row["state"]), **marks, **same)
            ours = link.url.startswith("https://tiny.example/") and link.mode is self.mode
            if request:
                ours &= (money(row), link.attempt_id) == (request.order.amount, request.attempt_id)
        except UNREADABLE:
            pass
        if link is None or not ours:
            raise IntegrityBreach(self.name, {"link": "is not what was asked for"})
        return link

    def _notice(self, kind: str, row: Mapping[str, Any]) -> Any:
        try:
            at, word = dt.datetime.fromisoformat(row["at"]).astimezone(dt.UTC), row["state"]
            same = {**common(row), "amount": money(row), "at": at, "vendor_status": word}
            if kind == "refunds":
                marks = {"payment_vendor_id": checked(row["of"]), "refund_id": row["refund"]}
                return base.RefundNotice(status=RefundStatus(word), **marks, **same)
            status = PaymentStatus(word) if word in [*PaymentStatus] else PaymentStatus.UNKNOWN
            marks = {"link_vendor_id": row["of"], "link_id": row["link"], "attempt_id": row["attempt"]}
            return base.PaymentNotice(status=status, **marks, **same)
        except UNREADABLE:
            raise IntegrityBreach(self.name, {kind: "cannot be read"}) from None


def signature(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, "sha256").hexdigest().encode()


def checked(given: Any) -> str:
    if isinstance(given, str) and given.isascii() and given.isalnum():
        return given
    raise InvalidInput.single("vendor_id", "is none of the vendor's", "pass the id that it gave")


def money(row: Mapping[str, Any]) -> Money:
    return Money.read(row["amount"], row["currency"])


def common(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"vendor_id": checked(row["id"]), "mode": Mode(row["mode"])}


def written(path: str, marks: Mapping[str, str], amount: Money, key: str, now: dt.datetime) -> Written:
    body = json.dumps({**marks, "amount": amount.minor, "currency": amount.currency}).encode()
    kind = "application/json"
    return Written(method="POST", path=path, body=body, content_type=kind, key=key, key_until=now + DAY)

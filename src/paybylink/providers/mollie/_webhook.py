"""
Mollie's webhooks: whether one may be read, and what it says.

There are two kinds, and they do not mix:

* a classic call is a form with the id of what changed and nothing else. It is not signed, so nothing of it is
  believed: it is a bell, after which the payment or link is asked for;
* an event is JSON, signed: ``X-Mollie-Signature`` is ``sha256=<hex>``, HMAC-SHA256 with the secret over the raw body.
  For a day after a secret was rolled two of them come, which servers may join by a comma. There is no time in it, so
  an old event can be played again; events are therefore bells too, and processed once by their id.

Rule 1: what bears a signature is checked, and refused when it fits none of the secrets.
Rule 2: what bears none is accepted as a classic form only. JSON never is, so leaving the header out gains nothing.
Rule 3: a snapshot in an event is old news by the time it is read. Of it only the payment's id is taken, and marks as
        a hint.

Source: docs.mollie.com, "Webhooks", "Next-gen webhooks", "Webhook signatures"; Mollie's OpenAPI document,
`webhook-event-types`.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from paybylink.errors import WebhookRejected
from paybylink.links import Mode
from paybylink.providers.base import Bell, ForeignNotice, Notice, ProviderEvent, UnknownNotice

from . import _marks
from ._amounts import MISSHAPEN, moment

Json: TypeAlias = dict[str, Any]

HEADER: Final = "x-mollie-signature"
#: The kind of a classic call.
CLASSIC: Final = "classic"
#: When a classic call happened, which it does not say.
UNTOLD: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

#: More than any signature header needs; a longer one is not looked at.
_LONGEST_HEADER: Final = 4096
_ID: Final = re.compile(r"([a-z]{2,20}_)[A-Za-z0-9]{1,80}")
#: The letters of a form; JSON has others.
_FORM: Final = re.compile(rb"[A-Za-z0-9_.%+=&-]{1,1024}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")

#: Events that say nothing about money of a link: balances, payouts, transfers, a webhook that is tried out.
_INFORMATIVE: Final = ("balance-transaction.", "payout.", "business-account-transfer.", "hook.", "profile.")


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[bytes]) -> None:
    """
    Return if `body` was signed with one of `secrets`, or is a classic call.

    Raises:
        WebhookRejected: neither.
    """
    header = _header(headers)
    if header is None:
        if _classic_id(body) is None:
            raise WebhookRejected(
                "it has no X-Mollie-Signature header and is no classic call; make the webhook a signed one"
            )
        return
    if not secrets:
        # Not the sender's fault: a status on which Mollie tries again, for more than a day.
        raise WebhookRejected(
            "no webhook secret is set, so no event can be believed; set webhook_secrets", status=503
        )
    expected = [hmac.digest(secret, body, "sha256").hex().encode("ascii") for secret in secrets]
    genuine = False
    for given in _signatures(header):
        for known in expected:
            genuine |= hmac.compare_digest(given, known)
    if not genuine:
        raise WebhookRejected(
            "the signature fits none of the webhook secrets; check webhook_secrets and that the body arrives as "
            "the exact bytes that were sent"
        )


def read(body: bytes, *, query: str, mode: Mode) -> ProviderEvent:
    """
    The event in a verified body.

    Args:
        query: of the address that was called; it has our marks.
        mode: of the account.

    Raises:
        WebhookRejected: it is neither a classic call nor an event of Mollie.
    """
    called = _classic_id(body)
    if called is not None:
        notice = _bell(called, _marks.of_query(query), mode)
        return ProviderEvent(event_id=called, kind=CLASSIC, at=UNTOLD, mode=mode, notice=notice)
    try:
        event = json.loads(body)
        kind, event_id, entity_id = event["type"], event["id"], event["entityId"]
        if not all(isinstance(text, str) and text for text in (kind, event_id)):
            raise TypeError("type")
        at = moment(event["createdAt"])
        entity = _snapshot(event)
        if entity.get("mode") in tuple(Mode):
            mode = Mode(entity["mode"])
    except (*MISSHAPEN, RecursionError):
        raise WebhookRejected("the body is no event of Mollie") from None
    return ProviderEvent(
        event_id=event_id, kind=kind, at=at, mode=mode, notice=_notice(kind, entity_id, entity, mode)
    )


def _notice(kind: str, entity_id: object, entity: Json, mode: Mode) -> Notice:
    named = entity_id if isinstance(entity_id, str) else ""
    marks = _marks.of_addresses(entity.get("webhookUrl"), entity.get("redirectUrl"))
    match kind.partition(".")[0]:
        case "payment" | "payment-link" | "sales-invoice":
            return _bell(named, marks, mode)
        case "refund" | "chargeback" | "capture":
            payment = entity.get("paymentId")
            if isinstance(payment, str):
                return _bell(payment, marks, mode)
            return UnknownNotice(
                reason="it does not say whose payment it is; let the webhook send full payloads"
            )
    if kind.startswith(_INFORMATIVE):
        return ForeignNotice(reason="informative: other events say what it means for a link")
    return UnknownNotice(reason="a kind of event that this version does not know")


def _bell(identifier: str, marks: _marks.Marks, mode: Mode) -> Notice:
    """The bell for a payment, a link or an invoice; of anything else nothing of ours is known."""
    found = _ID.fullmatch(identifier)
    if found is None:
        return UnknownNotice(reason="it names nothing that can be asked for")
    ours = {"link_id": marks.link_id, "attempt_id": marks.attempt_id}
    match found[1]:
        case "tr_":
            return Bell(mode=mode, payment_vendor_id=identifier, **ours)
        case "pl_" | "invoice_":
            return Bell(mode=mode, link_vendor_id=identifier, **ours)
    return ForeignNotice(reason="neither a payment nor a link")


def _snapshot(event: Json) -> Json:
    """What an event carries of its entity; nothing in a simple one."""
    embedded = event.get("_embedded")
    entity = embedded.get("entity") if isinstance(embedded, Mapping) else None
    return dict(entity) if isinstance(entity, Mapping) else {}


def _classic_id(body: bytes) -> str | None:
    """The id in a classic call; None when the body is none."""
    if not _FORM.fullmatch(body):
        return None
    try:
        fields = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except ValueError:
        return None
    found = [value for name, value in fields if name == "id"]
    return found[0] if len(found) == 1 and _ID.fullmatch(found[0]) else None


def _header(headers: Mapping[str, str]) -> str | None:
    # While a secret is being rolled there are two of them, and `get` of a framework's headers gives the first.
    found = [value for name, value in headers.items() if name.lower() == HEADER]
    return ",".join(found) if found else None


def _signatures(header: str) -> Iterator[bytes]:
    if len(header) > _LONGEST_HEADER:
        return
    for value in header.split(","):
        text = value.strip().removeprefix("sha256=").lower()
        if _SIGNATURE.fullmatch(text):
            yield text.encode("ascii")

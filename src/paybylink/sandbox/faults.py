"""
Faults: what can be made to go wrong, on purpose and by count.

A fault waits for something that it matches (a request, a webhook, a mail), lets the first `skip` of them pass,
strikes the next `times`, and is then spent. With `chance` it strikes only some of them, chosen by `seed` and the
count alone, so the same run fails in the same places. Every fault is kept with the state and outlives a restart.

    requests   timeout_before, timeout_after   the reply never comes; after `seconds` the connection is cut
               reset_before, reset_after       the connection is reset without a reply
               status                          another answer: 429, 500, 503, …; with or without the work done
    webhooks   duplicate, late, reorder, drop
               batch                        several events in one call, where the vendor has such calls
    changes    hold, refuse                 a refund, capture or cancellation waits for `finish`, or comes to nothing
    mails      mail_refuse_rcpt, mail_refuse_data   an SMTP reply such as 550 or 451
               mail_cut                             the line is cut after the final dot, before the 250

*before* means that nothing was done; *after*, that all was done and only the answer is lost: the one that a
client must heal by repeating itself under the same key. This module holds the values; `shaky` acts them out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fnmatch import fnmatchcase

from attrs import asdict, field, frozen
from attrs.validators import in_, instance_of

from paybylink.sandbox.engine import Document, Engine

REQUEST = ("timeout_before", "timeout_after", "reset_before", "reset_after", "status")
WEBHOOK = ("duplicate", "late", "reorder", "drop", "batch")
CHANGE = ("hold", "refuse")
MAIL_RCPT = ("mail_refuse_rcpt",)
MAIL_DATA = ("mail_refuse_data", "mail_cut")
KINDS = (*REQUEST, *WEBHOOK, *CHANGE, *MAIL_RCPT, *MAIL_DATA)


def _positive(instance: object, attribute: object, value: int | None) -> None:
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError("times must be a whole number from 1, or null for always")


@frozen(kw_only=True)
class Fault:
    """
    One fault as it is asked for.

    Attributes:
        kind: one of `KINDS`.
        match: what it waits for; empty is anything. For requests the beginning of a path (``/stripe/v1/refunds``)
            or the name of a route (``stripe.payment_links.create``), for webhooks a pattern of event types
            (``checkout.session.*``, or with the vendor's name before it, ``adyen.*``), for changes a pattern of the
            routes that ask for them (``adyen.refunds``), for mails a pattern of recipients.
        method: the HTTP method that it waits for; empty is any.
        times: how often it strikes; None is until it is cleared.
        skip: how many it lets pass first.
        seconds: how long a timeout holds the connection when the client does not give up before.
        status: the HTTP or SMTP code of the false reply; 500 or 550 when None.
        text: the text of the false reply; one in the vendor's shape when empty.
        headers: further headers of a false HTTP reply.
        work: for ``status`` and ``mail_cut``: whether the work was done. A cut mail was taken, unless this is False.
        stored: for ``status``: whether the work was done and the false reply is remembered under the idempotency
            key, as Stripe does with its own 500s; otherwise it counts as a fault on the way.
        copies: for ``duplicate``: how many more times the event is told.
        new_id: for ``duplicate``: whether the copies come as events of their own.
        chance: the share of matches that it strikes.
        seed: what the choice by `chance` and the order of ``reorder`` are drawn from; reversed order when None.
    """

    kind: str = field(validator=in_(KINDS))
    match: str = field(default="", validator=instance_of(str))
    method: str = field(default="", validator=instance_of(str))
    times: int | None = field(default=1, validator=_positive)
    skip: int = field(default=0, validator=instance_of(int))
    seconds: float = field(default=30.0, converter=float)
    status: int | None = None
    text: str = field(default="", validator=instance_of(str))
    headers: Mapping[str, str] = field(factory=dict)
    work: bool | None = None
    stored: bool = False
    copies: int = field(default=1, validator=instance_of(int))
    new_id: bool = False
    chance: float = field(default=1.0, converter=float)
    seed: int | None = None


def switch_on(engine: Engine, fault: Fault) -> Document:
    """The fault as it is kept: with its ``id`` and the counts ``seen`` and ``used``."""
    kept: Document = {"id": engine.new_id("flt_", 8), **asdict(fault), "seen": 0, "used": 0, "state": "on"}
    return engine.put("fault", kept)


def take(engine: Engine, kinds: tuple[str, ...], *names: str, method: str = "") -> Document | None:
    """
    The fault that strikes now, counted; None when none does.

    Args:
        kinds: the kinds that can strike here.
        names: what the thing is called: its path and its route, its type, its recipient.
        method: the HTTP method, for requests.
    """
    active = engine.find("fault", ("state", "=", "on"), newest_first=False)
    for fault in active:
        if fault["kind"] not in kinds or not _matches(fault, names, method):
            continue
        fault["seen"] += 1
        strikes = fault["seen"] > fault["skip"] and _chosen(fault)
        if strikes:
            fault["used"] += 1
            if fault["times"] is not None and fault["used"] >= fault["times"]:
                fault["state"] = "spent"
        _ = engine.put("fault", fault)
        if strikes:
            return fault
    return None


def clear(engine: Engine) -> None:
    """Switch every fault off and forget it."""
    engine.remove("fault")


def _matches(fault: Document, names: tuple[str, ...], method: str) -> bool:
    wanted = fault["match"]
    if fault["method"] and fault["method"].upper() != method:
        return False
    if fault["kind"] in REQUEST:
        return (
            any(name.startswith(wanted) if wanted.startswith("/") else name == wanted for name in names)
            or not wanted
        )
    return not wanted or any(fnmatchcase(name, wanted) for name in names)


def _chosen(fault: Document) -> bool:
    if fault["chance"] >= 1:
        return True
    draw = random.Random(f"{fault['seed']}:{fault['seen']}")  # noqa: S311  # repeatable by design
    return draw.random() < float(fault["chance"])

"""
What is asked of Mollie about money: methods, refunds, chargebacks, and what moved the balances.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from paybylink.errors import IntegrityBreach
from paybylink.flow import Call
from paybylink.money import Money
from paybylink.orders import Order
from paybylink.providers.base import (
    BalanceItem,
    BalancePage,
    DisputeNotice,
    MethodOffer,
    RefundNotice,
    RefundRequest,
)

from ._account import Account, checked
from ._amounts import MISSHAPEN, amount, moment, money
from ._balance import balance_items
from ._mapping import REFUND, refund_path
from ._methods import METHODS
from ._notices import dispute_notice, refund_notice

Json: TypeAlias = dict[str, Any]

_BALANCES = "/v2/balances"


def methods_for(account: Account, order: Order) -> Call[Sequence[MethodOffer]]:
    """The payment methods that take the order's amount, of those that it names if it names any."""
    scope = {} if account.profile_id is None else {"profileId": account.profile_id}
    reply = yield from account.get("/v2/methods", amount=amount(order.amount), **scope)
    embedded = reply.get("_embedded")
    listed = embedded.get("methods") if isinstance(embedded, Mapping) else None
    if not isinstance(listed, list):
        raise IntegrityBreach(account.who, {"methods": "is no list"})
    wanted = {METHODS.to_vendor(word) for word in order.checkout.methods}
    try:
        offers = [_offer(method) for method in listed if method.get("status") in (None, "activated")]
    except MISSHAPEN as error:
        raise _unreadable(account, "method", error) from None
    return [one for one in offers if not wanted or one.vendor_method in wanted]


def asked_refund(account: Account, reply: Json, request: RefundRequest) -> RefundNotice:
    """
    The refund in an answer, if it is what was asked for.

    Raises:
        IntegrityBreach: it is not.
    """
    notice = _refund(account, reply)
    wrong = {}
    if notice.refund_id != request.refund_id:
        wrong[f"metadata.{REFUND}"] = "is another refund's"
    if notice.payment_vendor_id != request.payment_vendor_id:
        wrong["paymentId"] = "is another payment's"
    if notice.amount != request.amount:
        wrong["amount"] = f"is {notice.amount}, not {request.amount}"
    if wrong:
        raise IntegrityBreach(account.who, wrong)
    return notice


def find_refund(account: Account, request: RefundRequest) -> Call[RefundNotice | None]:
    """The refund that carries our mark; None if there is none."""
    for refund in (yield from account.pages(refund_path(request.payment_vendor_id), "refunds")):
        metadata = refund.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get(REFUND) == request.refund_id:
            return asked_refund(account, refund, request)
    return None


def refunds_of(account: Account, payment_vendor_id: str) -> Call[Sequence[RefundNotice]]:
    """Every refund of a payment, oldest first; also those made in the dashboard."""
    if payment_vendor_id.startswith("invoice_"):
        # Paid outside Mollie, so nothing can go back through it.
        return []
    refunds = yield from account.pages(refund_path(payment_vendor_id), "refunds")
    return [_refund(account, refund) for refund in refunds]


def disputes_of(account: Account, payment_vendor_id: str) -> Call[Sequence[DisputeNotice]]:
    """Every chargeback of a payment, oldest first."""
    if payment_vendor_id.startswith("invoice_"):
        return []
    path = f"/v2/payments/{checked(payment_vendor_id, 'tr_')}/chargebacks"
    chargebacks = yield from account.pages(path, "chargebacks")
    try:
        return [dispute_notice(one, mode=account.mode) for one in chargebacks]
    except MISSHAPEN as error:
        raise _unreadable(account, "chargeback", error) from None


def settlements(account: Account, *, since: dt.datetime, until: dt.datetime, after: str) -> Call[BalancePage]:
    """
    What moved the balances, one page of one balance at a time, newest first.

    Args:
        after: ``<balance>`` or ``<balance>.<movement>``; empty begins with the first balance.
    """
    balance, _, cursor = after.partition(".")
    if not balance:
        balance = yield from _balance_after(account, "")
        if not balance:
            return BalancePage(items=())
    path = f"{_BALANCES}/{checked(balance, 'bal_')}/transactions"
    if cursor:
        cursor = checked(cursor, "baltr_")
    listed, following = yield from account.page(path, "balance_transactions", after=cursor)
    items: list[BalanceItem] = []
    done = not following
    try:
        for entry in listed:
            at = moment(entry["createdAt"])
            if at < since:
                # Newest first: all that follow are older.
                done = True
                break
            if at < until:
                items.extend(balance_items(entry, provider=account.who))
    except MISSHAPEN as error:
        raise _unreadable(account, "balance transaction", error) from None
    if not done:
        return BalancePage(items=items, after=f"{balance}.{following}")
    return BalancePage(items=items, after=(yield from _balance_after(account, balance)))


def _balance_after(account: Account, balance: str) -> Call[str]:
    """The id of the balance after this one, or of the first; empty after the last."""
    balances = yield from account.pages(_BALANCES, "balances")
    names = [str(one.get("id")) for one in balances]
    if not balance:
        return names[0] if names else ""
    place = names.index(balance) + 1 if balance in names else len(names)
    return names[place] if place < len(names) else ""


def _offer(method: Json) -> MethodOffer:
    word = method["id"]
    if not isinstance(word, str):
        raise TypeError("id")
    return MethodOffer(
        method=METHODS.from_vendor(word),
        vendor_method=word,
        name=str(method.get("description") or ""),
        minimum=_bound(method.get("minimumAmount")),
        maximum=_bound(method.get("maximumAmount")),
    )


def _bound(told: object) -> Money | None:
    return money(told) if isinstance(told, Mapping) else None


def _refund(account: Account, refund: Json) -> RefundNotice:
    try:
        notice = refund_notice(refund)
    except MISSHAPEN as error:
        raise _unreadable(account, "refund", error) from None
    if notice.mode is not account.mode:
        raise IntegrityBreach(account.who, {"mode": f"is not {account.mode}"})
    return notice


def _unreadable(account: Account, what: str, error: Exception) -> IntegrityBreach:
    return IntegrityBreach(account.who, {what: f"cannot be read ({type(error).__name__})"})

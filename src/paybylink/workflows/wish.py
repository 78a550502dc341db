"""
What a caller of `create_link` asks for, read and checked before anything else happens.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from attrs import frozen

from paybylink.checks import is_future
from paybylink.errors import InvalidInput
from paybylink.kinds import HostedInvoice, InvoiceBound, LinkKind
from paybylink.links import link_content
from paybylink.orders import Order

#: How long a link to an invoice, ours or the provider's, lives after the due date.
INVOICE_GRACE = dt.timedelta(days=30)
#: Providers count in whole seconds, and some a little less than was asked for.
ROUNDING = dt.timedelta(minutes=2)
_BEFORE_ALL = dt.datetime.min.replace(tzinfo=dt.UTC)


@frozen(kw_only=True)
class LinkWish:
    """
    What a caller of `create_link` asks for, checked.

    Attributes:
        order, kind: what is asked for, and how.
        provider: a name, if the caller named one.
        expires_at: the moment computed from what was given, or from the default; may have passed, since the same
            wish is understood again later.
        expires_in: the span, if a span was given.
        given_end: the moment was given as such, and is the same whenever the wish is understood.
        content: all of it by field, for comparison with an earlier wish.
    """

    order: Order
    kind: LinkKind
    provider: str | None
    expires_at: dt.datetime
    expires_in: dt.timedelta | None
    given_end: bool
    content: Mapping[str, str]


def wish(
    order: Order,
    *,
    kind: LinkKind,
    provider: str | None,
    expires_in: dt.timedelta | None,
    expires_at: dt.datetime | None,
    tenant: str,
    default_expiry: dt.timedelta,
    now: dt.datetime,
) -> LinkWish:
    """
    The checked wish.

    Raises:
        InvalidInput: a span and a moment were given, one cannot be used, or the tenant is another one's.
    """
    if order.tenant != tenant:
        raise InvalidInput.single(
            "order.tenant", "is not this merchant's", "use the PayByLink of that tenant"
        )
    if expires_in is not None and expires_at is not None:
        raise InvalidInput.single("expires_at", "is given beside expires_in", "give one of them")
    if expires_in is not None:
        check_span(expires_in, now=now)
    moment = None if expires_at is None else is_future(expires_at, now=_BEFORE_ALL, path="expires_at")
    content = link_content(order, kind, expires_in=expires_in, expires_at=expires_at)
    if provider is not None:
        content["provider"] = provider
    if expires_in is not None:
        end = now + expires_in
    elif moment is not None:
        end = moment
    elif isinstance(kind, InvoiceBound) and kind.invoice.due_on is not None:
        due = dt.datetime.combine(kind.invoice.due_on, dt.time(), dt.UTC) + INVOICE_GRACE
        end = max(due, now + dt.timedelta(days=1))
    elif isinstance(kind, HostedInvoice):
        end = now + dt.timedelta(days=kind.due_in_days) + INVOICE_GRACE
    else:
        end = now + default_expiry
    return LinkWish(
        order=order,
        kind=kind,
        provider=provider,
        expires_at=end,
        expires_in=expires_in,
        given_end=moment is not None,
        content=content,
    )


def check_span(span: object, *, now: dt.datetime) -> None:
    """
    Return if a link may live for `span` from `now` on.

    Raises:
        InvalidInput: it is no timedelta, is not more than zero, or ends after the year 9999.
    """
    remedy = "give a span such as timedelta(days=7)"
    if not isinstance(span, dt.timedelta):
        raise InvalidInput.single("expires_in", f"is {type(span).__name__}", remedy)
    if span <= dt.timedelta(0):
        raise InvalidInput.single("expires_in", "is not more than zero", remedy)
    if span > dt.datetime.max.replace(tzinfo=dt.UTC) - now:
        raise InvalidInput.single("expires_in", "ends after the year 9999", remedy)

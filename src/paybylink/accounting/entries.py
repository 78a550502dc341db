"""
Entries: balanced double-entry bookings, as values.

Rule 1: an entry that does not balance cannot be made; neither can a line with both sides, or with none.
Rule 2: an entry is never changed and never deleted. What was wrong is undone by its `reversal`.
Rule 3: a business event is booked once. Its `key` (`provider|vendor id|what`) is the same each time.
Rule 4: an entry holds codes, amounts and the piece, never a person's name. `customer_id` leads to the name,
        kept in one erasable place and joined when a file is written.

Amounts are integers of the minor unit of the entry's one currency. An entry booked in the book currency for
money that was foreign carries the foreign amount of each such line in `fx`.
"""

from __future__ import annotations

import datetime as dt
import re

from attrs import frozen

from paybylink.currencies import CURRENT, HISTORIC
from paybylink.errors import Faults
from paybylink.money import MAX_STORED, Money

#: The longest label that is kept; an export cuts further to what its format takes.
LABEL_LIMIT = 200
#: The longest piece: an invoice's number or an order's reference.
PIECE_LIMIT = 80
_CODE_LIMIT = 80
_KEY_LIMIT = 250

# Control characters, separators of lines, the pipe, no-break spaces and half surrogates break a column of a text
# file (LPF art. A47 A-1: tab or pipe between fields); invisible marks and changes of direction fool its reader.
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\xa0|\u00ad\u2007\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]"
)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_KEY = re.compile(r"[^|]+\|[^|]+\|[^|]+")


def plain(text: str, *, limit: int | None = None) -> str:
    """
    `text` as entries and exports take it: a pipe becomes a slash, whatever else is unfit one plain space.

    With a `limit`, at most that many characters, from the left.
    """
    if _UNFIT.search(text) is not None:
        text = " ".join(_UNFIT.sub(" ", text.replace("|", "/")).split())
    return text if limit is None or len(text) <= limit else text[:limit].rstrip()


def entry_key(provider: str, vendor_id: str, what: str) -> str:
    """The key of a business event, e.g. ``stripe-fr|pi_3Q7a|payment``; a pipe in a part becomes ``%7C``."""
    return "|".join(part.replace("|", "%7C") for part in (provider, vendor_id, what))


@frozen(kw_only=True)
class Line:
    """
    An amount on one side of one account.

    Attributes:
        account: the account's code, e.g. ``411``.
        aux: the auxiliary account, i.e. the customer's code; empty if unused.
        debit_minor, credit_minor: minor units of the entry's currency; one is 0, the other more than 0.
        fx: the same amount in the foreign currency it came in, more than 0; None if it was not foreign.
        month: of the entry's date, ``YYYY-MM``.
        provider, kind, method: what collections are classified by; empty where there is none.
    """

    account: str
    aux: str = ""
    debit_minor: int = 0
    credit_minor: int = 0
    fx: Money | None = None
    month: str
    provider: str = ""
    kind: str = ""
    method: str = ""

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        _check_code(faults, "account", self.account, limit=_CODE_LIMIT, required=True)
        _check_code(faults, "aux", self.aux, limit=_CODE_LIMIT)
        sides = (self.debit_minor, self.credit_minor)
        for name, side in zip(("debit_minor", "credit_minor"), sides, strict=True):
            if type(side) is not int:
                faults.add(name, f"is {type(side).__name__}", "write whole minor units as an int")
            elif not 0 <= side <= MAX_STORED:
                faults.add(name, "is below zero or above 18 digits", "put what is negative on the other side")
        if not faults and (sides[0] > 0) == (sides[1] > 0):
            faults.add("debit_minor", "and credit_minor are both zero or both set", "give one of them")
        if self.fx is not None and self.fx.minor <= 0:
            faults.add("fx", "is not more than zero", "the side of the line tells its direction")
        if _MONTH.fullmatch(self.month) is None:
            faults.add("month", "is no month", "write it like 2026-11")
        for name in ("provider", "kind", "method"):
            _check_code(faults, name, getattr(self, name), limit=_CODE_LIMIT)
        faults.raise_any()


@frozen(kw_only=True)
class Entry:
    """
    One booking; its debits equal its credits.

    Attributes:
        id: our row; sorts by time of creation.
        key: ``provider|vendor id|what``, the same for the same business event.
        journal: the journal's code, e.g. ``PL``.
        date: the booking day in the merchant's time zone.
        piece: the invoice's number, else the order's reference; at most 80 characters.
        label: what the bookkeeper reads; at most 200 characters, fit for any text file (see `plain`).
        currency: the one ISO 4217 code of all lines.
        created_at: aware UTC.
        reverses_id: the entry that this one undoes; None for an ordinary entry.
        customer_id: leads to the customer's name, which is not kept here; None if there is nobody.
        lines: two or more.
        tenant: the merchant, where one application serves many.

    Raises:
        InvalidInput: the lines do not balance (both sums are named) or a field is unfit; all faults at once.
    """

    id: str
    key: str
    journal: str
    date: dt.date
    piece: str
    label: str
    currency: str
    created_at: dt.datetime
    reverses_id: str | None = None
    customer_id: str | None = None
    lines: tuple[Line, ...]
    tenant: str = ""

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        if not self.id.strip():
            faults.add("id", "is empty", "give the id of the row to be written")
        if len(self.key) > _KEY_LIMIT or _KEY.fullmatch(self.key) is None:
            faults.add("key", "is no key of a business event", "make it with entry_key()")
        _check_code(faults, "journal", self.journal, limit=_CODE_LIMIT, required=True)
        _check_code(faults, "piece", self.piece, limit=PIECE_LIMIT, required=True)
        _check_code(faults, "label", self.label, limit=LABEL_LIMIT, required=True)
        if self.currency not in CURRENT and self.currency not in HISTORIC:
            faults.add("currency", "is not a code of ISO 4217", "write it in capitals, like EUR")
        if isinstance(self.date, dt.datetime) or not isinstance(self.date, dt.date):
            faults.add("date", f"is {type(self.date).__name__}", "give the day, without a time")
        elif any(line.month != self.date.isoformat()[:7] for line in self.lines):
            faults.add(
                "lines", "carry another month than the date", f"write {self.date.isoformat()[:7]} on each"
            )
        if self.created_at.tzinfo is None:
            faults.add("created_at", "has no time zone", "use an aware datetime, e.g. datetime.now(UTC)")
        if len(self.lines) < 2:
            faults.add("lines", f"has {len(self.lines)}", "a booking takes two lines or more")
        for place, line in enumerate(self.lines):
            if line.fx is not None and line.fx.currency == self.currency:
                faults.add(f"lines[{place}].fx", "is in the entry's own currency", "leave it out")
        debit = sum(line.debit_minor for line in self.lines)
        credit = sum(line.credit_minor for line in self.lines)
        if debit != credit:
            faults.add(
                "lines",
                f"do not balance: debits are {debit} and credits {credit} minor units of {self.currency}",
                f"put the difference of {abs(debit - credit)} on an account of its own",
            )
        faults.raise_any()

    @property
    def event(self) -> str:
        """What was booked, i.e. the last part of the key: ``payment``, ``refund``, ``fee``, …"""
        return self.key.rsplit("|", 1)[1]

    @property
    def amount(self) -> Money:
        """The sum of the debits, which is the sum of the credits."""
        return Money.read(sum(line.debit_minor for line in self.lines), self.currency)


def reversal(
    entry: Entry, *, entry_id: str, key: str, date: dt.date, created_at: dt.datetime, label: str | None = None
) -> Entry:
    """
    The entry that undoes `entry`: each line on its other side, `reverses_id` set.

    Args:
        entry: what was booked.
        entry_id: of the new row.
        key: of the event that undoes it, e.g. ``stripe|re_1|refund_failed``.
        date: the day of the undoing, in the merchant's time zone; the undone entry keeps its own.
        created_at: aware UTC.
        label: what the bookkeeper reads; the undone entry's label when left out.
    """
    return Entry(
        id=entry_id,
        key=key,
        journal=entry.journal,
        date=date,
        piece=entry.piece,
        label=entry.label if label is None else label,
        currency=entry.currency,
        created_at=created_at,
        reverses_id=entry.id,
        customer_id=entry.customer_id,
        lines=tuple(
            Line(
                account=line.account,
                aux=line.aux,
                debit_minor=line.credit_minor,
                credit_minor=line.debit_minor,
                fx=line.fx,
                month=date.isoformat()[:7],
                provider=line.provider,
                kind=line.kind,
                method=line.method,
            )
            for line in entry.lines
        ),
        tenant=entry.tenant,
    )


def _check_code(faults: Faults, path: str, text: str, *, limit: int, required: bool = False) -> None:
    if required and not text.strip():
        faults.add(path, "is empty", "write at least one character")
    elif len(text) > limit:
        faults.add(path, f"has {len(text)} characters", f"shorten it to {limit}")
    elif _UNFIT.search(text) is not None:
        faults.add(path, "contains a control character, pipe or no-break space", "pass it through plain()")

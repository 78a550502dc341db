"""
The merchant's chart: which account, journal and words a booking uses.

`PCG` holds the defaults of the French general chart (Plan comptable général), `NEUTRAL` one in plain English for
all others. Change either by `attrs.evolve`; a faulty change is refused with the paths of all its faults.

What lies deeper than three digits is practice and not law: "5115" with a sub-account per provider is common, and
so is 517 or 467. The accountant decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from attrs import field, frozen

from paybylink.currencies import CURRENT
from paybylink.errors import Faults

from . import _pcg
from .entries import plain

_ACCOUNT = re.compile(r"[^\s]+")
_JOURNAL = re.compile(r"[0-9A-Za-z]{1,8}")
_PCG_ACCOUNT = re.compile(r"[0-9]{3}[0-9A-Za-z]*")
#: The fields of `Accounts` that hold one account each.
_SINGLE = (
    "customers",
    "deposits",
    "unallocated",
    "disputes",
    "default_clearing",
    "fees",
    "bank",
    "rounding_loss",
    "rounding_gain",
)
_JOURNALS = ("journal", "bank_journal", "other_journal")
#: What `Accounts.words` must name.
EVENTS = ("payment", "refund", "refund_failed", "rounding")


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _copied(given: Mapping[str, str]) -> dict[str, str]:
    return dict(given)


@frozen(kw_only=True)
class Accounts:
    """
    Accounts, journals and words.

    Attributes:
        chart: ``pcg`` asks that accounts begin with three digits, as the FEC does; ``free`` takes any code.
        currency: of the books; Debit and Credit of the FEC are in it.
        zone: the merchant's time zone; it turns the provider's moment into the booking day.
        customers: receivables; a payment of an invoice is credited here.
        deposits: money in advance; a payment of a quote is credited here.
        unallocated: a payment that no invoice explains, or that a person must look at, is credited here.
        disputes: receivables that are contested.
        clearing: provider's name → the account that mirrors its balance.
        default_clearing: for a provider that `clearing` does not name.
        fees: what providers keep.
        bank: where payouts arrive.
        rounding_loss, rounding_gain: for small differences that are written off.
        auxiliary: beginnings of the accounts that carry the customer's code as auxiliary account.
        journal, bank_journal, other_journal: the codes for collections, payouts, and anything else.
        journal_labels: code → label.
        account_labels: account, or the beginning of one → label; the longest that fits is taken.
        words: event → what begins the label of its entry; one for each of `EVENTS`.

    Raises:
        InvalidInput: all faults at once, each with the path of its field.
    """

    chart: str = "pcg"
    currency: str = "EUR"
    zone: str = "Europe/Paris"
    customers: str = "411"
    deposits: str = "4191"
    unallocated: str = "471"
    disputes: str = "416"
    clearing: Mapping[str, str] = field(factory=dict, converter=_copied)
    default_clearing: str = "51151"
    fees: str = "6278"
    bank: str = "512"
    rounding_loss: str = "658"
    rounding_gain: str = "758"
    auxiliary: tuple[str, ...] = ("411", "4191", "416")
    journal: str = "PL"
    bank_journal: str = "BQ"
    other_journal: str = "OD"
    journal_labels: Mapping[str, str] = field(default=_pcg.JOURNALS, converter=_copied)
    account_labels: Mapping[str, str] = field(default=_pcg.LABELS, converter=_copied)
    words: Mapping[str, str] = field(default=_pcg.WORDS, converter=_copied)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        if self.chart not in ("pcg", "free"):
            faults.add("chart", "is no kind of chart", 'use "pcg" or "free"')
        for name in _SINGLE:
            self._check_account(faults, name, getattr(self, name))
        for provider, account in self.clearing.items():
            self._check_account(faults, f"clearing[{provider!r}]", account)
        for account in self.auxiliary:
            self._check_account(faults, "auxiliary", account)
        if self.currency not in CURRENT:
            faults.add("currency", "is no current code of ISO 4217", "write it in capitals, like EUR")
        try:
            _ = _zone(self.zone)
        except (LookupError, ValueError, OSError):
            faults.add(
                "zone",
                "is not known here",
                'write a name like "Europe/Paris"; if it is one, install the package tzdata',
            )
        for name in _JOURNALS:
            code = getattr(self, name)
            if _JOURNAL.fullmatch(code) is None:
                faults.add(name, "is no journal code", "write 1 to 8 letters or digits, like PL")
            elif not self.journal_labels.get(code):
                faults.add(f"journal_labels[{code!r}]", "is missing", "name every journal that is used")
        for event in EVENTS:
            if not self.words.get(event):
                faults.add(f"words[{event!r}]", "is missing", "write the word that begins the label")
        for name, texts in (
            ("journal_labels", self.journal_labels),
            ("account_labels", self.account_labels),
            ("words", self.words),
        ):
            for key, text in texts.items():
                if text != plain(text) or len(text) > 100:
                    faults.add(
                        f"{name}[{key!r}]",
                        "has a control character, pipe or no-break space, or more than 100 characters",
                        "write plain text",
                    )
        faults.raise_any()

    def _check_account(self, faults: Faults, path: str, account: str) -> None:
        if not _is_fit(account) or len(account) > 40:
            faults.add(path, "is no account", "write 1 to 40 characters without spaces")
        elif self.chart == "pcg" and _PCG_ACCOUNT.fullmatch(account) is None:
            faults.add(
                path,
                "does not begin with three digits of the PCG",
                'write it like 411, or use chart="free" outside France',
            )

    @property
    def tzinfo(self) -> ZoneInfo:
        """The merchant's time zone."""
        return _zone(self.zone)

    def clearing_for(self, provider: str) -> str:
        """The account that mirrors the balance of `provider`."""
        return self.clearing.get(provider, self.default_clearing)

    def aux_for(self, account: str, customer_code: str) -> str:
        """The auxiliary account beside `account`: the customer's code, or nothing where none is carried."""
        return customer_code if account.startswith(self.auxiliary) else ""

    def label_of(self, account: str) -> str:
        """The label of the longest beginning of `account` that has one; the account itself if none has."""
        for length in range(len(account), 0, -1):
            label = self.account_labels.get(account[:length])
            if label:
                return label
        return account

    def journal_label(self, journal: str) -> str:
        """The label of `journal`; the code itself if it has none."""
        return self.journal_labels.get(journal) or journal


def _is_fit(code: str) -> bool:
    return _ACCOUNT.fullmatch(code) is not None and plain(code) == code


#: The French general chart.
PCG = Accounts()

#: A chart in words, for merchants outside France; the FEC is not made from it without a warning.
NEUTRAL = Accounts(
    chart="free",
    zone="UTC",
    customers="receivables",
    deposits="customer-deposits",
    unallocated="unallocated-payments",
    disputes="disputed-receivables",
    default_clearing="provider-clearing",
    fees="payment-fees",
    bank="bank",
    rounding_loss="rounding-loss",
    rounding_gain="rounding-gain",
    auxiliary=("receivables", "customer-deposits", "disputed-receivables"),
    journal="LINKS",
    bank_journal="BANK",
    other_journal="OTHER",
    journal_labels={"LINKS": "Payment links", "BANK": "Bank", "OTHER": "Other entries"},
    account_labels={
        "receivables": "Receivables",
        "customer-deposits": "Deposits received from customers",
        "unallocated-payments": "Payments to allocate",
        "disputed-receivables": "Disputed receivables",
        "provider-clearing": "Payment provider clearing",
        "payment-fees": "Payment fees",
        "bank": "Bank",
        "rounding-loss": "Rounding loss",
        "rounding-gain": "Rounding gain",
    },
    words={
        "payment": "Payment",
        "refund": "Refund",
        "refund_failed": "Failed refund",
        "rounding": "Settlement difference",
    },
)

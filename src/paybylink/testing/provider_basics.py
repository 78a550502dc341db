"""
What every provider owes before anything is sent: all verbs, a row for every feature, and a clear no.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from paybylink.errors import OutcomeUnknown, PaybylinkError, UnsupportedCapability
from paybylink.flow import Call
from paybylink.links import Mode
from paybylink.money import Money
from paybylink.providers.base import Feature, Provider, RefundRequest, Support

from .provider_bench import ProviderBench
from .provider_hooks import DAY

#: Ids that would lead a path astray, or split a header.
CROOKED: Final = (
    "",
    ".",
    "..",
    "../balance",
    "a/b",
    "a?b=c",
    "a#b",
    "a b",
    "a\r\nb",
    "a\\b",
    "%2e%2e",
    "é",
    "\x00",
)
#: What may be asked of an order's page, and what of a kind; the rest are verbs.
ASKED_IN_ORDERS: Final = (
    Feature.SINGLE_USE,
    Feature.REUSABLE,
    Feature.MAX_PAYMENTS,
    Feature.PAYER_CHOOSES,
    Feature.INVOICE_BOUND,
    Feature.HOSTED_INVOICE,
    Feature.PREFILL,
    Feature.LANGUAGE,
    Feature.RETURN_URL,
    Feature.ALLOW_METHODS,
    Feature.BLOCK_METHODS,
    Feature.STATEMENT,
    Feature.MANUAL_CAPTURE,
    Feature.DELAYED_CAPTURE,
)


class BasicChecks(ProviderBench):
    """The shape of a provider, and what it says of itself."""

    def test_has_every_verb(self) -> None:
        """Every member of `Provider` is there, and takes its arguments under the names of the interface."""
        missing = []
        for name, theirs in inspect.getmembers_static(Provider):
            if name.startswith("_"):
                continue
            if not hasattr(type(self.it), name) and not hasattr(self.it, name):
                missing.append(f"{name} is missing")
            elif inspect.isfunction(theirs):
                missing += _differing(name, theirs, getattr(self.it, name))
        self.check_none(missing, "paybylink.providers.base.Provider")

    def test_has_a_name_that_can_be_part_of_an_address(self) -> None:
        """The name stands in the webhook's address: up to 40 of a-z, 0-9, - and _."""
        name = self.it.name

        self.check(
            isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name) is not None,
            f"its name {name!r} cannot be part of an address",
            "Provider.name",
        )

    def test_knows_whether_it_is_test_or_live(self) -> None:
        """The mode is known before anything is sent, from the key or a setting."""
        self.check(isinstance(self.it.mode, Mode), "mode is neither Mode.TEST nor Mode.LIVE", "Provider.mode")

    def test_has_a_row_for_every_feature(self) -> None:
        """Whoever reads the matrix finds a word for every feature, a way for each emulation, a reason for each no."""
        missing = []
        for feature in Feature:
            row = self.it.capabilities.get(feature)
            if row is None:
                missing.append(f"{feature} has no row")
            elif row.support is not Support.NATIVE and not row.how.strip():
                missing.append(f"{feature} is {row.support} and does not say {_HOW[row.support]}")
        self.check_none(missing, "Provider.capabilities")

    def test_refuses_what_it_cannot_do_before_anything_is_sent(self) -> None:
        """A verb of an unsupported feature raises `UnsupportedCapability` at once; what cannot be told is unknown."""
        for feature, make in self._verbs():
            if not self.has(feature):
                # That the vendor cannot be asked is an unknown outcome to whoever waits for one.
                asking = feature in (Feature.FIND_LINK, Feature.FIND_REFUND)
                _ = self.unsent(
                    (UnsupportedCapability, OutcomeUnknown) if asking else (UnsupportedCapability,),
                    make,
                    f"{feature} is unsupported, and its verb does not raise UnsupportedCapability",
                    "Provider",
                )

    def test_refuses_orders_that_ask_for_what_it_cannot_do(self) -> None:
        """A kind or a wish of the checkout that cannot be had is refused by `write_link`, never passed over."""
        missing = []
        for feature in ASKED_IN_ORDERS:
            request = self.asked(*self.asking(feature))
            try:
                _ = self.it.write_link(request, key=self.fresh("key"), now=self.now())
            except UnsupportedCapability as error:
                if self.has(feature):
                    missing.append(f"{feature} is said to be had, and write_link refuses it: {error.reason}")
            except PaybylinkError as error:
                missing.append(f"{feature} raises {type(error).__name__} from write_link: {error}")
            else:
                if not self.has(feature):
                    missing.append(f"{feature} is unsupported, and write_link takes it without a word")
        self.check_none(missing, "Provider.write_link")

    def test_takes_everything_else_of_an_order(self) -> None:
        """Line items and metadata go with a link; where they cannot be shown, the link is made all the same."""
        for feature in (Feature.LINE_ITEMS, Feature.METADATA):
            request = self.asked(*self.asking(feature))
            _ = self.it.write_link(request, key=self.fresh("key"), now=self.now())

    def test_never_lets_an_id_lead_a_path_astray(self) -> None:
        """An id that is none of the vendor's is refused before it becomes part of an address."""
        for crooked in CROOKED:
            for verb, make in self._verbs_by_id(crooked).items():
                try:
                    _ = self.met(
                        make(), self.nothing_is_sent(f"{verb} takes the id {crooked!r}", f"Provider.{verb}")
                    )
                except PaybylinkError:
                    continue

    def test_prints_no_secret(self) -> None:
        """Keys, passwords and webhook secrets stand in no repr."""
        told = repr(self.it) + str(self.it) + repr(self.it.capabilities)

        self.check(
            not any(secret in told for secret in self.secrets()), "its repr shows a secret", "Provider"
        )

    def _verbs(self) -> Sequence[tuple[Feature, Callable[[], Call[object]]]]:
        it, now = self.it, self.now()
        euro, key = Money(100, "EUR"), self.fresh("key")
        by_id = self._verbs_by_id(self.some_id())
        return (
            (Feature.CANCEL, by_id["close_link"]),
            (Feature.REOPEN, by_id["reopen_link"]),
            (Feature.METHODS_FOR, lambda: it.methods_for(self.order())),
            (Feature.FIND_LINK, lambda: it.find_link(self.asked(), since=now - DAY, now=now)),
            (Feature.PAYMENTS_OF_LINK, by_id["payments_of"]),
            (Feature.FETCH_PAYMENT, by_id["fetch_payment"]),
            (Feature.MANUAL_CAPTURE, lambda: it.capture(self.some_id(), euro, key=key, now=now)),
            (Feature.MANUAL_CAPTURE, by_id["cancel_payment"]),
            (Feature.REFUND, by_id["refund"]),
            (Feature.FIND_REFUND, lambda: it.find_refund(self._refund(self.some_id()))),
            (Feature.SETTLEMENTS, lambda: it.settlements(since=now - DAY, until=now)),
        )

    def _verbs_by_id(self, vendor_id: str) -> Mapping[str, Callable[[], Call[object]]]:
        it, now, key = self.it, self.now(), self.fresh("key")
        request = self._refund(vendor_id)
        return {
            "fetch_link": lambda: it.fetch_link(vendor_id),
            "close_link": lambda: it.close_link(vendor_id, key=key, now=now),
            "reopen_link": lambda: it.reopen_link(vendor_id, key=key, now=now),
            "payments_of": lambda: it.payments_of(vendor_id),
            "fetch_payment": lambda: it.fetch_payment(vendor_id),
            "capture": lambda: it.capture(vendor_id, Money(100, "EUR"), key=key, now=now),
            "cancel_payment": lambda: it.cancel_payment(vendor_id, key=key, now=now),
            "refund": lambda: it.refund(request, written=it.write_refund(request, key=key, now=now)),
            "refunds_of": lambda: it.refunds_of(vendor_id),
            "disputes_of": lambda: it.disputes_of(vendor_id),
        }

    def _refund(self, vendor_id: str) -> RefundRequest:
        return RefundRequest(
            refund_id=self.fresh("refund"), payment_vendor_id=vendor_id, amount=Money(100, "EUR")
        )


_HOW: Final = {Support.EMULATED: "how", Support.UNSUPPORTED: "why"}


def _differing(name: str, theirs: Callable[..., object], ours: object) -> list[str]:
    """What is wrong with how a verb is called."""
    if not callable(ours):
        return [f"{name} is no method"]
    wanted = dict(inspect.signature(theirs).parameters)
    _ = wanted.pop("self")
    given = inspect.signature(ours).parameters
    anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in given.values())
    lacking = [word for word in wanted if word not in given and not anything]
    more = [
        word
        for word, one in given.items()
        if word not in wanted
        and one.default is inspect.Parameter.empty
        and one.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    ]
    return [f"{name} does not take {word}" for word in lacking] + [
        f"{name} needs {word} as well" for word in more
    ]

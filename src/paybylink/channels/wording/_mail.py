"""The words of a mail: subject, text and HTML from the same strings and facts."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from paybylink.channels.base import Occasion
from paybylink.kinds import InvoiceBound, Reusable
from paybylink.messages import Purpose
from paybylink.money import Money

from ._catalogue import Catalogue
from ._press import layout
from ._words import Settings, chosen_strings, safe_url, words_of
from .formats import day_text, locale_of

if TYPE_CHECKING:
    from babel import Locale

#: Purposes whose mail carries the link.
ASKING = frozenset({Purpose.REQUEST, Purpose.REMINDER})


@frozen(kw_only=True)
class MailText:
    """
    The words of one mail.

    Attributes:
        subject: one line.
        text: the plain part, lines ended by a line feed; the URL has a line of its own.
        html: the whole page.
        language: in which it is written.
        warnings: what the merchant should know, e.g. that a language is missing.
    """

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    warnings: tuple[str, ...] = ()


def mail_text(settings: Settings, occasion: Occasion, *, qr: str | None) -> MailText:
    """See `Wording.mail`."""
    strings, fell_back = chosen_strings(settings, occasion.language)
    common, own = strings.sections["common"], strings.sections[occasion.purpose]
    locale = locale_of(occasion.language, strings.language)
    url = safe_url(occasion.link) if occasion.purpose in ASKING else ""
    words = words_of(settings, occasion.link, locale, strings, amount=_amount(occasion), brief=False)
    words["name"] = occasion.customer.name
    words["files"] = ", ".join(document.name for document in occasion.attach)
    words["subject"] = own["subject"].format(**words)
    if occasion.test:
        words["subject"] = common["test_subject"].format(**words)
    facts: dict[str, object] = {
        "purpose": occasion.purpose.value,
        "subject": words["subject"],
        "lang": str(locale).replace("_", "-"),
        "direction": locale.text_direction,
        "test": occasion.test,
        "url": url,
        "qr": qr,
        "files": words["files"],
        "contact": settings.contact,
        "colon": common["colon"],
        "rows": _rows(settings, occasion, locale, strings, words),
    }
    text = layout(settings.overrides, strings.language, occasion.purpose, "txt")
    html = layout(settings.overrides, strings.language, occasion.purpose, "html")
    warning = f"there are no strings in {occasion.language!r}; written in {strings.language!r}"
    return MailText(
        subject=words["subject"],
        text=text({**facts, "say": _said({**common, **own}, words)}),
        html=html({**facts, "say": _said(_escaped(strings, occasion.purpose), words)}),
        language=strings.language,
        warnings=(warning,) if fell_back else (),
    )


def _amount(occasion: Occasion) -> Money:
    link = occasion.link
    if occasion.purpose in ASKING:
        return link.open_amount
    if occasion.purpose is Purpose.RECEIPT and link.paid_amount.minor and not isinstance(link.kind, Reusable):
        return link.paid_amount
    return link.order.amount


def _rows(
    settings: Settings, occasion: Occasion, locale: Locale, strings: Catalogue, words: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The facts of the mail as label and value."""
    common, link = strings.sections["common"], occasion.link
    rows = [(common["label_merchant"], settings.merchant)] if settings.merchant else []
    invoice = link.kind.invoice if isinstance(link.kind, InvoiceBound) else None
    if invoice is None or invoice.number != link.order.reference:
        rows.append((common["label_reference"], link.order.reference))
    if invoice is not None:
        rows.append((common[f"label_{invoice.type}"], invoice.number))
    if link.order.description:
        rows.append((common["label_description"], link.order.description))
    # How much goes back is not known here, so a refund names no amount rather than a wrong one.
    if occasion.purpose is not Purpose.REFUND:
        rows.append((common["label_amount"], words["amount"]))
    if occasion.purpose in ASKING:
        if invoice is not None and invoice.due_on is not None:
            rows.append((common["label_due"], day_text(invoice.due_on, locale)))
        if words["expires"]:
            rows.append((common["label_expires"], words["expires"]))
    return rows


def _said(strings: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    """Every string with its words filled in; an escaped string escapes its words as well."""
    said = {name: text.format(**words) for name, text in strings.items()}
    if words["name"]:
        said["greeting"] = said["greeting_named"]
    return said


@functools.lru_cache(maxsize=256)
def _escaped(strings: Catalogue, purpose: Purpose) -> Mapping[str, str]:
    """The strings of a purpose, safe to be put in HTML."""
    from markupsafe import escape

    return {
        name: escape(text)
        for name, text in {**strings.sections["common"], **strings.sections[purpose]}.items()
    }

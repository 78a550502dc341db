"""The words of a text that a person sends by hand."""

from __future__ import annotations

from attrs import field, frozen

from paybylink.links import Mode, PaymentLink

from ._words import Settings, chosen_strings, safe_url, words_of
from .formats import locale_of, plain_spaces


@frozen
class ShareText:
    """A short message with the URL on its last line, and a subject where the medium has one."""

    subject: str = field(repr=False)
    text: str = field(repr=False)


def share_text(settings: Settings, link: PaymentLink, *, language: str | None) -> ShareText:
    """See `Wording.share`."""
    customer = link.order.customer
    asked = language or (customer.language if customer else None) or settings.language
    strings, _ = chosen_strings(settings, asked)
    locale = locale_of(asked, strings.language)
    url = safe_url(link)
    say = strings.sections["share"]
    words = words_of(settings, link, locale, strings, amount=link.open_amount, brief=True)
    words["name"] = customer.name if customer else ""
    lines = [
        say["hello_named" if words["name"] else "hello"].format(**words),
        say["subject" if settings.merchant else "subject_plain"].format(**words),
        say["link_expires" if words["expires"] else "link"].format(**words),
    ]
    subject = lines[1]
    if link.mode is Mode.TEST:
        subject = f"{say['test']} {subject}"
        lines.insert(0, say["test"])
    text = "\n".join(lines)
    return ShareText(plain_spaces(subject), f"{plain_spaces(text)}\n{url}")

"""
Our marks in Adyen's references.

Of all that an Adyen webhook tells, `merchantReference` is the only field that is ours and signed. So the reference of
a link names our link and our attempt, and says whether its money is taken at once; the host's own reference travels
as `merchantOrderReference`. The reference of a refund names our refund.

``pbl-<link>-<attempt>``: money that is taken at once; ``pbl-<link>-<attempt>-m``: reserved first and taken later, so
that the authorisation alone is not taken for money; ``pbr-<refund>``: a refund.

Rule: a mark has letters, digits, points and hyphens only. Adyen joins the signed fields with colons and escapes
none, so a colon in a mark could be read as the end of its field.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from paybylink.errors import InvalidInput

#: Source: docs.adyen.com, "Upgrade to Checkout API v72": references of payments and refunds.
REFERENCE_LIMIT: Final = 80

_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_LINK: Final = re.compile(r"pbl-([0-9A-Za-z]{1,32})-([0-9A-Za-z]{1,32})(-m)?")
_REFUND_ID: Final = re.compile(r"[0-9A-Za-z]{1,40}(?:\.[0-9]{1,9})?")
_REFUND: Final = re.compile(rf"pbr-({_REFUND_ID.pattern})")


@frozen
class LinkMark:
    """
    What the reference of a link says.

    Attributes:
        link_id, attempt_id: ours.
        later: the money is reserved first and taken later.
    """

    link_id: str
    attempt_id: str
    later: bool = False

    def __str__(self) -> str:
        """The reference."""
        return f"pbl-{self.link_id}-{self.attempt_id}{'-m' if self.later else ''}"


def link_mark(link_id: str, attempt_id: str, *, later: bool) -> str:
    """
    The reference of a link.

    Raises:
        InvalidInput: an id has other characters than letters and digits, or more than 32.
    """
    for path, given in (("link_id", link_id), ("attempt_id", attempt_id)):
        if not _ID.fullmatch(given):
            raise InvalidInput.single(
                path, "does not fit into Adyen's reference", "use up to 32 of A-Z and 0-9"
            )
    return str(LinkMark(link_id, attempt_id, later))


def read_link_mark(reference: object) -> LinkMark | None:
    """What a reference says; None when it is no link's of ours."""
    found = _LINK.fullmatch(reference) if isinstance(reference, str) else None
    return LinkMark(found[1], found[2], found[3] is not None) if found else None


def refund_mark(refund_id: str) -> str:
    """
    The reference of a refund.

    Raises:
        InvalidInput: the id does not fit.
    """
    if not _REFUND_ID.fullmatch(refund_id):
        raise InvalidInput.single(
            "refund_id", "does not fit into Adyen's reference", "use up to 40 of A-Z and 0-9"
        )
    return f"pbr-{refund_id}"


def read_refund_mark(reference: object) -> str:
    """The refund that a reference names; empty when it is none of ours."""
    found = _REFUND.fullmatch(reference) if isinstance(reference, str) else None
    return found[1] if found else ""

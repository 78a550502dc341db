"""
The one spelling of an address, by which the same person is not written to twice.

A mail address keeps the case of its local part, since only its own server may know whether it matters; its domain
becomes lower case and, where it has letters beyond ASCII, its A-label, since a mail header cannot carry it
otherwise (RFC 2047 §5). A phone number becomes E.164. Nothing is asked of the network, and no fault repeats what
was given.
"""

from __future__ import annotations

from paybylink.errors import InvalidInput, MissingExtra

_EXAMPLE = "write an address such as name@example.com"
#: RFC 5321 §4.5.3.1: 64 octets before the @, and 256 for the path with its angle brackets.
_LOCAL_LIMIT, _ADDRESS_LIMIT = 64, 254


def mail_address(given: str, *, path: str = "to", accept_utf8_local_part: bool = False) -> str:
    """
    The address to write to.

    Args:
        given: a bare address; spaces around it are dropped.
        path: the field to name in a fault.
        accept_utf8_local_part: take letters beyond ASCII before the @, which every server on the way must support.

    Raises:
        InvalidInput: it is no address, or one that cannot be delivered to.
        MissingExtra: email-validator is not installed.
    """
    address = given.strip(" ")
    if (fault := _address_fault(address)) is not None:
        raise InvalidInput.single(path, *fault)
    try:
        import email_validator
    except ImportError as error:
        raise MissingExtra("messages", "checking mail addresses") from error
    try:
        checked = email_validator.validate_email(address, check_deliverability=False, allow_smtputf8=True)
    except (email_validator.EmailNotValidError, UnicodeError):
        # Its own texts repeat parts of the address, so neither they nor the exception are passed on.
        raise InvalidInput.single(path, "is no mail address that can be delivered to", _EXAMPLE) from None
    local, domain = checked.local_part or "", checked.ascii_domain or ""
    if checked.smtputf8 and not accept_utf8_local_part:
        raise InvalidInput.single(
            path,
            "has letters beyond ASCII before the @, which many mail servers cannot deliver to",
            "ask for another address, or set accept_utf8_local_part=True if your server offers SMTPUTF8",
        )
    if len(local.encode()) > _LOCAL_LIMIT or len(local.encode()) + len(domain) + 1 > _ADDRESS_LIMIT:
        raise InvalidInput.single(path, "is longer than mail servers take", _EXAMPLE)
    return f"{local}@{domain}"


def _address_fault(address: str) -> tuple[str, str] | None:
    if not address:
        return "is empty", _EXAMPLE
    if any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" for char in address):
        return "contains control characters", "remove line breaks, tabs and other control characters"
    if "<" in address or ">" in address:
        return "is more than a bare address", "leave out the name and the angle brackets"
    if "@" not in address:
        return "has no @", _EXAMPLE
    if len(address) > 320:
        return "is longer than mail servers take", _EXAMPLE
    return None


def phone_number(given: str, *, country: str | None = None, path: str = "phone") -> str:
    """
    The number in E.164, e.g. ``+33612345678``.

    Args:
        given: as typed; ``06 12 34 56 78`` needs `country`.
        country: ISO 3166 alpha-2, for a number without its country code.
        path: the field to name in a fault.

    Raises:
        InvalidInput: it is no number that can exist.
        MissingExtra: phonenumberslite is not installed.
    """
    try:
        import phonenumbers
    except ImportError as error:
        raise MissingExtra("messages", "checking phone numbers") from error
    remedy = "write it with its country code, e.g. +33612345678"
    if len(given) > 40:
        raise InvalidInput.single(path, "is no phone number", remedy)
    try:
        number = phonenumbers.parse(given, country)
    except phonenumbers.NumberParseException:
        raise InvalidInput.single(path, "is no phone number", remedy) from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidInput.single(path, "is no phone number that can exist", remedy)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

"""
What is to be paid, by whom, and for what.

An `Order` is named by the host's own `reference` (and `part`, which tells a deposit from the balance). It has an
amount, or line items that make the amount, or both, in which case they must agree to the cent. VAT is computed
per rate and not per line (EN 16931, BR-CO-17), so that the groups add up to what an invoice prints.

Every value checks itself when it is made and reports all its faults at once. Nothing here knows a provider, a
channel or a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum

from attrs import astuple, field, frozen

from .address import Address, check_country
from .checkout import Checkout
from .checks import as_member, check_member, check_text, is_web_address
from .errors import Faults, InvalidInput
from .lines import DESCRIPTION_LIMIT, EXACT, LineItem, VatGroup, vat_groups
from .money import Money

#: The longest reference that every provider takes (Adyen `reference`, 80 characters since v72).
REFERENCE_LIMIT = 80

#: For comparison only. An order without a checkout has one of its own.
_PLAIN = Checkout()


@frozen(kw_only=True)
class Customer:
    """
    Who is asked to pay.

    Attributes:
        name: as it should be greeted; empty when not known.
        email: an address, checked in full by the channel that uses it.
        phone: as typed or in E.164; made E.164 by the channel that uses it.
        language: a BCP 47 tag such as ``fr`` or ``en-GB``; None takes the merchant's default.
        code: the customer's code in the host's books, e.g. the auxiliary account.
        country: ISO 3166 alpha-2, upper case.
        address: the billing address; None when not known.
        organisation: the company's name, where a company pays; empty for a person.
        vat_number: the company's VAT number; empty when not known.
    """

    name: str = field(default="", repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    language: str | None = None
    code: str = ""
    country: str | None = None
    address: Address | None = field(default=None, repr=False)
    organisation: str = field(default="", repr=False)
    vat_number: str = field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check_text(faults, "name", self.name, limit=140)
        check_text(faults, "code", self.code, limit=40)
        if self.email is not None:
            check_text(faults, "email", self.email, limit=320, required=True)
            if isinstance(self.email, str) and self.email.strip() and "@" not in self.email:
                faults.add("email", "has no @", "write an address such as name@example.com")
        if self.phone is not None:
            check_text(faults, "phone", self.phone, limit=40, required=True)
        if self.language is not None:
            check_text(faults, "language", self.language, limit=35, required=True)
        if self.country is not None:
            check_country(faults, "country", self.country)
        if self.address is not None and not isinstance(self.address, Address):
            fault = f"is {type(self.address).__name__}"
            faults.add("address", fault, 'write Address(street="…", city="…", postal_code="…", country="FR")')
        check_text(faults, "organisation", self.organisation, limit=140)
        check_text(faults, "vat_number", self.vat_number, limit=20)
        faults.raise_any()


class DocumentType(StrEnum):
    """What a joined document is."""

    INVOICE = "invoice"  #: asks for money that is due
    DEPOSIT = "deposit"  #: an invoice for a part in advance
    QUOTE = "quote"  #: an offer; paying its link accepts it
    OTHER = "other"  #: terms, a picture, a ticket


def _document_type(given: DocumentType | str) -> DocumentType:
    return as_member(DocumentType, given)


@frozen(kw_only=True)
class Document:
    """
    A PDF that goes with the link.

    Attributes:
        name: the file name the customer sees, e.g. ``Facture F2026-0042.pdf``.
        content: the bytes of the PDF.
        type: what the document is.
    """

    name: str
    content: bytes = field(repr=False)
    type: DocumentType = field(default=DocumentType.INVOICE, converter=_document_type)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        check_text(faults, "name", self.name, limit=120, required=True)
        check_member(faults, "type", self.type, DocumentType)
        if isinstance(self.name, str) and any(char in '/\\:*?"<>|' for char in self.name):
            faults.add(
                "name",
                "contains a path separator or a character that file systems refuse",
                "give a bare file name",
            )
        if not isinstance(self.content, bytes) or not self.content.startswith(b"%PDF-"):
            faults.add("content", "is not a PDF", "give bytes that begin with %PDF-")
        faults.raise_any()


@frozen(kw_only=True, init=False)
class Order:
    """
    What is to be paid.

    Attributes:
        reference: the host's own key, 1 to 80 characters; with `part` and `tenant` it names the order.
        amount: what is asked for; left out, it is the sum of `lines`; given with them, it must equal it.
        description: what the payer reads.
        lines: what is sold; may be empty.
        customer: who is asked; None for a link that anybody may pay.
        part: tells several links of one reference apart, e.g. ``deposit`` and ``balance``.
        tenant: the merchant, where one application serves many.
        return_url: https address where the payer may go afterwards; never a proof of payment.
        metadata: up to 20 short pairs that travel to the provider and back.
        tags: words by which collections are classified.
        checkout: how the provider's page behaves.
    """

    reference: str
    amount: Money
    description: str = ""
    lines: tuple[LineItem, ...] = ()
    customer: Customer | None = None
    part: str = ""
    tenant: str = ""
    return_url: str | None = None
    metadata: Mapping[str, str] = field(factory=dict)
    tags: tuple[str, ...] = ()
    checkout: Checkout = field(factory=Checkout)

    def __init__(
        self,
        *,
        reference: str,
        amount: Money | None = None,
        description: str = "",
        lines: Iterable[LineItem] = (),
        customer: Customer | None = None,
        part: str = "",
        tenant: str = "",
        return_url: str | None = None,
        metadata: Mapping[str, str] | None = None,
        tags: Iterable[str] = (),
        checkout: Checkout | None = None,
    ) -> None:
        lines = tuple(lines)
        faults = Faults()
        check_text(faults, "reference", reference, limit=REFERENCE_LIMIT, required=True)
        check_text(faults, "description", description, limit=DESCRIPTION_LIMIT)
        check_text(faults, "part", part, limit=40)
        check_text(faults, "tenant", tenant, limit=64)
        total = _amount(faults, amount, lines)
        if customer is not None and not isinstance(customer, Customer):
            faults.add("customer", f"is {type(customer).__name__}", 'write Customer(name="…", email="…")')
        if checkout is not None and not isinstance(checkout, Checkout):
            faults.add("checkout", f"is {type(checkout).__name__}", 'write Checkout(methods=["card"])')
        metadata = dict(metadata or {})
        if len(metadata) > 20:
            faults.add("metadata", f"has {len(metadata)} pairs", "keep it to 20, which every provider takes")
        for key, value in metadata.items():
            check_text(faults, f"metadata[{key!r}]", value, limit=80)
            if not (isinstance(key, str) and 0 < len(key) <= 20 and key.isprintable()) or any(
                char in "[]" for char in key
            ):
                faults.add(
                    f"metadata[{key!r}]",
                    "has a name that providers refuse",
                    "use 1 to 20 printable characters without brackets",
                )
            elif key.startswith("paybylink"):
                faults.add(
                    f"metadata[{key!r}]",
                    "uses our own prefix",
                    "choose a name that does not begin with paybylink",
                )
        tags = tuple(tags)
        for place, tag in enumerate(tags):
            check_text(faults, f"tags[{place}]", tag, limit=40, required=True)
        if return_url is not None:
            check_text(faults, "return_url", return_url, limit=1024, required=True)
            if isinstance(return_url, str) and not is_web_address(return_url):
                faults.add(
                    "return_url", "is not an https address", "write https://…; http only on this machine"
                )
        faults.raise_any()
        assert total is not None
        self.__attrs_init__(  # pyright: ignore[reportAttributeAccessIssue]  # made by attrs
            reference=reference,
            amount=total,
            description=description,
            lines=lines,
            customer=customer,
            part=part,
            tenant=tenant,
            return_url=return_url,
            metadata=metadata,
            tags=tags,
            checkout=checkout or Checkout(),
        )

    @property
    def vat_groups(self) -> tuple[VatGroup, ...]:
        """The VAT of the lines by rate; empty when the order has no lines."""
        return vat_groups(self.lines)


def _amount(faults: Faults, amount: Money | None, lines: tuple[LineItem, ...]) -> Money | None:
    """The amount of the order, or None with the reasons in `faults`."""
    if amount is not None and not isinstance(amount, Money):
        faults.add("amount", f"is {type(amount).__name__}", 'write Money.of("49.90", "EUR")')
        return None
    if not all(isinstance(line, LineItem) for line in lines):
        faults.add(
            "lines", "hold something else than LineItem", "write LineItem(description=…, unit_price=…)"
        )
        return None
    if lines:
        currencies = {line.unit_price.currency for line in lines}
        if len(currencies) > 1:
            faults.add("lines", f"mix {', '.join(sorted(currencies))}", "make one order per currency")
            return None
        try:
            groups = vat_groups(lines)
            total = groups[0].gross
            for group in groups[1:]:
                total = total + group.gross
        except InvalidInput:
            faults.add("lines", "add up to more than 18 digits", "check prices and quantities")
            return None
        if amount is None:
            amount = total
        elif amount != total:
            faults.add(
                "amount",
                f"is {amount} but the lines add up to {total}",
                "correct one of them, or leave amount out",
            )
            return None
    if amount is None:
        faults.add("amount", "is missing", "give an amount or line items")
        return None
    if amount.minor <= 0:
        faults.add("amount", f"is {amount}", "ask for more than zero; a refund is made with refund()")
        return None
    with faults.at("amount"):
        # A sum, or money that was read back, may have 18 digits or a currency that was withdrawn.
        return Money(amount.minor, amount.currency)
    return None


def order_fingerprint(order: Order) -> dict[str, str]:
    """
    The content of an order by field, for comparison: equal fields have equal text.

    The keys (`reference`, `part`, `tenant`) are left out, since they name the order and are not its content. The
    customer is there as a digest, so that the content can be kept when the customer's data are erased.
    """
    return {
        "amount": str(order.amount),
        "description": order.description,
        "lines": "|".join(
            f"{line.description}\x1f{line.quantity.normalize(EXACT):f}\x1f{line.unit_price}\x1f"
            f"{'' if line.vat_rate is None else f'{line.vat_rate.normalize(EXACT):f}'}\x1f{line.vat_included}"
            for line in order.lines
        ),
        "customer": _digest(order.customer) if order.customer else "",
        "return_url": order.return_url or "",
        "metadata": "|".join(f"{key}\x1f{value}" for key, value in sorted(order.metadata.items())),
        "tags": "|".join(sorted(order.tags)),
    } | _checkout_fingerprint(order.checkout)


def _checkout_fingerprint(checkout: Checkout) -> dict[str, str]:
    """What differs from leaving it all out, so that orders stored before it was there compare equal."""
    if checkout == _PLAIN:
        return {}
    delay = checkout.capture_after
    return {
        "checkout.methods": "|".join(sorted(checkout.methods)),
        "checkout.blocked_methods": "|".join(sorted(checkout.blocked_methods)),
        "checkout.language": checkout.language or "",
        "checkout.statement": checkout.statement,
        "checkout.capture": f"{checkout.capture} {'' if delay is None else int(delay.total_seconds())}",
        "checkout.prefill": "yes" if checkout.prefill else "",
        "checkout.extra": json.dumps(checkout.extra, sort_keys=True, default=dict),
    }


def _digest(customer: Customer) -> str:
    parts = (
        customer.name,
        customer.email,
        customer.phone,
        customer.language,
        customer.code,
        customer.country,
    )
    later = (customer.address, customer.organisation, customer.vat_number)
    if any(later):
        # Only where they are given, so that digests made before they were there stay the same.
        address = astuple(customer.address) if customer.address else ()
        parts += (*address, customer.organisation, customer.vat_number)
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


def as_order(given: Order | Money | str, *, reference: str | None, description: str, tenant: str) -> Order:
    """
    The order that a short call means: ``create_link("49.90 EUR", reference="INV-7")``.

    Raises:
        InvalidInput: the text is no amount, or the reference is missing.
    """
    if isinstance(given, Order):
        if reference is not None or description:
            raise InvalidInput.single("reference", "is given beside an Order", "write it inside the Order")
        return given
    faults = Faults()
    amount: Money | None = None
    with faults.at(""):
        amount = Money.parse(given) if isinstance(given, str) else given
    if not reference:
        faults.add("reference", "is missing", "name the order by your own key, e.g. its invoice number")
    faults.raise_any()
    assert reference is not None
    return Order(reference=reference, amount=amount, description=description, tenant=tenant)

"""
Every error that the library raises on purpose, and whose fault it is.

    PaybylinkError
    ├── RefusedByUs              nothing was sent; the text names what to change
    │   ├── InvalidInput         (also ValueError) every fault at once, each with its path
    │   ├── ReferenceConflict    the same reference with other content
    │   ├── AlreadyPaid          the order was paid; there is nothing left to replace or cancel
    │   ├── LinkClosed           the link can no longer be paid
    │   ├── IllegalMove          a state table has no such move
    │   ├── UnsupportedCapability the provider or channel cannot do it, with the reason
    │   ├── NotFound             (also LookupError) no such link, payment, delivery, provider or channel
    │   ├── SettingsError        a setting is missing or wrong, with its path
    │   ├── MissingExtra         (also ImportError) an optional part is not installed
    │   ├── SchemaOutdated       the database needs `paybylink db upgrade`
    │   └── WebhookRejected      not signed by whom it claims, stale or unreadable
    ├── RefusedByThem            an answer came and it was no
    │   ├── ProviderError        … from a payment service provider
    │   └── ChannelError         … from a mail server or a message service
    ├── OutcomeUnknown           it was sent and no answer came; ask again, never do again
    ├── NotSent                  surely not sent: no connection, no address, no time left
    ├── IntegrityBreach          an answer does not match what was asked, and is not believed
    └── StoreError               the database refused or is away
        └── Conflict             somebody else wrote first; the flow reads again

Unknown is a state, not a failure: whoever catches `OutcomeUnknown` finds the link, delivery or refund
on it and may call the same method again, which asks before it does anything.

No error text, `repr` or attribute holds a secret, an address, a phone number or card data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from .links import PaymentLink


@frozen
class Fault:
    """
    One thing that is wrong with what was given.

    Attributes:
        path: where it stands, in the caller's own words, e.g. ``order.lines[2].vat_rate``.
        fault: what is wrong with the value; never the value itself where it may be personal or secret.
        remedy: what to write instead.
    """

    path: str = field()
    fault: str = field()
    remedy: str = field()

    def __str__(self) -> str:
        return f"{self.path}: {self.fault}; {self.remedy}"

    def under(self, prefix: str) -> Fault:
        """The same fault seen from one level further out; an empty `prefix` changes nothing."""
        if not prefix:
            return self
        joined = f"{prefix}{self.path}" if self.path.startswith("[") else f"{prefix}.{self.path}"
        return Fault(joined if self.path else prefix, self.fault, self.remedy)


class PaybylinkError(Exception):
    """
    The root of the tree.

    Attributes:
        code: a stable name for the kind of error, for logs and for the error reference.
    """

    code: str = "error"

    def __reduce__(self) -> tuple[object, ...]:
        # The text was made by `__init__` from arguments that `args` does not hold; a task queue pickles errors.
        return _rebuilt, (type(self), self.args, dict(self.__dict__))


def _rebuilt(
    kind: type[PaybylinkError], args: tuple[object, ...], facts: dict[str, object]
) -> PaybylinkError:
    """The error that was pickled, with its text and its attributes as they were."""
    error = kind.__new__(kind, *args)
    super(PaybylinkError, error).__init__(*args)
    error.__dict__.update(facts)
    return error


class RefusedByUs(PaybylinkError):
    """Refused before anything was sent; nothing happened anywhere."""

    code = "refused_by_us"


class InvalidInput(RefusedByUs, ValueError):
    """
    One or more values cannot be used; all of them are named at once.

    Attributes:
        faults: each fault with its path and its remedy, in the order of the input.
    """

    code = "invalid_input"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def single(cls, path: str, fault: str, remedy: str) -> InvalidInput:
        """The error for exactly one fault."""
        return cls((Fault(path, fault, remedy),))


class Faults:
    """
    Gathers faults while input is read, so that all of them are reported at once.

    Example:
        ```python
        faults = Faults()
        if not name:
            faults.add("name", "is empty", "write the customer's name")
        with faults.at("lines[0]"):
            line = LineItem(...)
        faults.raise_any()
        ```
    """

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: str, fault: str, remedy: str) -> None:
        """Keep one fault."""
        self._found.append(Fault(path, fault, remedy))

    @contextmanager
    def at(self, prefix: str) -> Iterator[None]:
        """Keep what `InvalidInput` inside the block says, with `prefix` before each path."""
        try:
            yield
        except InvalidInput as error:
            self._found.extend(fault.under(prefix) for fault in error.faults)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_any(self) -> None:
        """
        Raise what was gathered, if anything was.

        Raises:
            InvalidInput: with every fault so far.
        """
        if self._found:
            raise InvalidInput(self._found)


class ReferenceConflict(RefusedByUs):
    """
    The reference already has a link with other content.

    Attributes:
        reference: the order's reference.
        differences: the names of the fields that differ.
        link: the link that exists.
    """

    code = "reference_conflict"

    def __init__(self, reference: str, differences: Iterable[str], link: PaymentLink) -> None:
        self.reference = reference
        self.differences = tuple(differences)
        self.link = link
        super().__init__(
            f"reference {reference!r} already has a link that differs in {', '.join(self.differences)}; "
            "pass replace=True to close it and make a new one, or use another reference or part"
        )


class AlreadyPaid(RefusedByUs):
    """
    The order was paid, so its link cannot be replaced, cancelled or renewed.

    Attributes:
        link: the paid link.
    """

    code = "already_paid"

    def __init__(self, link: PaymentLink) -> None:
        self.link = link
        super().__init__(f"reference {link.order.reference!r} is {link.status}; refund the payment instead")


class LinkClosed(RefusedByUs):
    """
    The link cannot be paid any more, so it is neither sent nor shared.

    Attributes:
        link: the closed link.
    """

    code = "link_closed"

    def __init__(self, link: PaymentLink) -> None:
        self.link = link
        remedy = "nothing is left to pay" if link.status == "paid" else "call renew(link, expires_in=…) first"
        super().__init__(f"the link of reference {link.order.reference!r} is {link.status}; {remedy}")


class IllegalMove(RefusedByUs):
    """A state table has no move from where the thing stands to where it was asked to go."""

    code = "illegal_move"

    def __init__(self, kind: str, before: str, after: str) -> None:
        self.before, self.after = before, after
        super().__init__(f"a {kind} cannot go from '{before}' to '{after}'")


class UnsupportedCapability(RefusedByUs):
    """
    The provider, channel or store cannot do what was asked; raised before anything is sent.

    Attributes:
        who: the provider's or channel's name.
        feature: what was asked for.
        reason: why it cannot, and what to do instead.
    """

    code = "unsupported"

    def __init__(self, who: str, feature: str, reason: str) -> None:
        self.who, self.feature, self.reason = who, feature, reason
        super().__init__(f"{who} does not support {feature}: {reason}")


class NotFound(RefusedByUs, LookupError):
    """Nothing with that name or id exists here."""

    code = "not_found"


class SettingsError(RefusedByUs):
    """
    A setting is missing or wrong.

    Attributes:
        faults: each fault with the path of the setting, e.g. ``providers[0].api_key``.
    """

    code = "settings"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class MissingExtra(RefusedByUs, ImportError):
    """
    An optional part is not installed.

    Attributes:
        extra: the extra to install, as in ``pip install "paybylink[stripe]"``.
    """

    code = "missing_extra"

    def __init__(self, extra: str, needed_for: str) -> None:
        self.extra = extra
        super().__init__(f'{needed_for} needs an extra: pip install "paybylink[{extra}]"')


class SchemaOutdated(RefusedByUs):
    """The database was made by another version; `paybylink db upgrade` brings it up to date."""

    code = "schema_outdated"


class WebhookRejected(RefusedByUs):
    """
    A webhook that is not believed: wrong or missing signature, too old, from the future, or unreadable.

    Attributes:
        status: the HTTP status to answer with (400 for anything that may be forged).
    """

    code = "webhook_rejected"

    def __init__(self, reason: str, *, status: int = 400) -> None:
        self.status = status
        super().__init__(reason)


class RefusedByThem(PaybylinkError):
    """
    The other side answered, and the answer was no.

    Attributes:
        who: the provider's or channel's name.
        standard_code: our word for the reason, the same for every vendor (see the error reference).
        vendor_code: the vendor's own word, verbatim.
        request_id: what the vendor's support asks for.
        retryable: a later attempt with the same content may succeed.
        documentation: the address of the vendor's page about it; None when it names none.
    """

    code = "refused_by_them"

    def __init__(
        self,
        message: str,
        *,
        who: str,
        standard_code: str = "refused",
        vendor_code: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        status: int | None = None,
        documentation: str | None = None,
    ) -> None:
        self.who = who
        self.documentation = documentation
        self.standard_code = standard_code
        self.vendor_code = vendor_code
        self.request_id = request_id
        self.retryable = retryable
        self.status = status
        super().__init__(f"{who}: {message}")


#: Whoever is told so was not let in, and nobody looked at what he asked.
_AT_THE_DOOR = frozenset({"unauthorised", "forbidden", "account_restricted", "wrong_mode"})


class ProviderError(RefusedByThem):
    """A payment service provider refused the request."""

    code = "provider_refused"

    @property
    def certain(self) -> bool:
        """
        Whether nothing came of the request, nor of an earlier sending of the same bytes under the same key.

        An answer from the door says nothing of an earlier sending, and one without the vendor's own word may be
        that of a proxy.
        """
        heard = self.vendor_code is not None and self.standard_code not in _AT_THE_DOOR
        return heard and not self.retryable


class ChannelError(RefusedByThem):
    """A mail server or message service refused the message."""

    code = "channel_refused"


class OutcomeUnknown(PaybylinkError):
    """
    Something was sent and no usable answer came, so it may or may not have happened.

    Calling the same method again is the remedy: it asks, or repeats the same bytes under the same live key.

    Attributes:
        subject: the link, delivery or refund whose state is unknown; None when nothing was reserved.
        link: the subject, when it is a link.
    """

    code = "outcome_unknown"

    def __init__(self, message: str, *, who: str = "", subject: object = None) -> None:
        self.who = who
        self.subject = subject
        super().__init__(message)

    @property
    def link(self) -> PaymentLink | None:
        """The link whose state is unknown, if the subject is one."""
        from .links import PaymentLink

        return self.subject if isinstance(self.subject, PaymentLink) else None


class NotSent(PaybylinkError):
    """Surely nothing was sent: the host is unknown or unreachable, or the deadline had passed before."""

    code = "not_sent"

    def __init__(self, message: str, *, who: str = "") -> None:
        self.who = who
        super().__init__(message)


class IntegrityBreach(PaybylinkError):
    """
    An answer does not match what was asked, and is therefore not believed.

    Attributes:
        differences: field → what was wrong, without secrets.
    """

    code = "integrity"

    def __init__(self, who: str, differences: Mapping[str, str]) -> None:
        self.who = who
        self.differences = dict(differences)
        told = "; ".join(f"{name}: {fault}" for name, fault in self.differences.items())
        super().__init__(f"{who} answered something else than was asked ({told}); nothing was believed")


class StoreError(PaybylinkError):
    """The database refused, is locked, full or away; nothing of the batch was written."""

    code = "store"


class Conflict(StoreError):
    """
    A guarded write found that somebody else had written first; nothing of the batch was written.

    Attributes:
        statement: the name of the statement whose guard did not hold.
    """

    code = "conflict"

    def __init__(self, statement: str) -> None:
        self.statement = statement
        super().__init__(f"another writer was first ({statement}); the flow reads again")

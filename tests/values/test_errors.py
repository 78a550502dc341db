"""Promises about errors: one tree, drawn as it is; picklable; facts and a remedy, and no secret."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import re
from typing import Any

import pytest

from paybylink import errors
from paybylink.errors import (
    AlreadyPaid,
    ChannelError,
    Conflict,
    Fault,
    Faults,
    IllegalMove,
    IntegrityBreach,
    InvalidInput,
    LinkClosed,
    MissingExtra,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PaybylinkError,
    ProviderError,
    ReferenceConflict,
    RefusedByThem,
    RefusedByUs,
    SchemaOutdated,
    SettingsError,
    StoreError,
    UnsupportedCapability,
    WebhookRejected,
)
from paybylink.flow import Envelope, MailServer, Statement, Step
from paybylink.kinds import SingleUse
from paybylink.links import LinkStatus, Mode, PaymentLink, PendingLink, ProviderLink, ProviderLinkStatus
from paybylink.messages import Delivery, Medium, Message, Outcome, Purpose
from paybylink.money import Money
from paybylink.orders import Customer, Document, Order

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ORDER = Order(
    reference="INV-7",
    amount=Money(4990, "EUR"),
    customer=Customer(name="MARKED name", email="MARKED@example.com", phone="+33639980001MARKED"),
)


def link(status: LinkStatus = LinkStatus.OPEN) -> PaymentLink:
    return PaymentLink(
        id="01LINK",
        token="MARKEDtoken",
        order=ORDER,
        kind=SingleUse(),
        status=status,
        mode=Mode.TEST,
        provider="stripe",
        created_at=NOW,
        expires_at=NOW + dt.timedelta(days=30),
        url="https://pay.example/p/MARKEDtoken",
        provider_links=(
            ProviderLink(
                id="01ATTEMPT",
                provider="stripe",
                status=ProviderLinkStatus.OPEN,
                asked_at=NOW,
                url="https://buy.example/MARKED",
            ),
        ),
    )


#: One error of every class, with every fact that it takes.
EXAMPLES: list[PaybylinkError] = [
    PaybylinkError("something"),
    RefusedByUs("something"),
    InvalidInput(
        [Fault("amount", "is a float", "write it as a string"), Fault("reference", "is empty", "name it")]
    ),
    ReferenceConflict("INV-7", ["amount", "kind"], link()),
    AlreadyPaid(link(LinkStatus.PAID)),
    LinkClosed(link(LinkStatus.EXPIRED)),
    IllegalMove("link", "paid", "open"),
    UnsupportedCapability("ovh", "find", "the vendor has no such call; wait for its report"),
    NotFound("no link with that reference; `links()` lists them"),
    SettingsError([Fault("providers[0].api_key", "is missing", "set PAYBYLINK_STRIPE_API_KEY")]),
    MissingExtra("stripe", "paybylink.providers.stripe"),
    SchemaOutdated("run `paybylink db upgrade`"),
    WebhookRejected("the signature is missing", status=401),
    RefusedByThem("no", who="stripe"),
    ProviderError(
        "no such account",
        who="stripe",
        standard_code="authentication",
        vendor_code="api_key_invalid",
        request_id="req_1",
        retryable=True,
        status=401,
    ),
    ChannelError("mailbox full", who="smtp", vendor_code="5.2.2"),
    OutcomeUnknown("no answer; call again", who="stripe", subject=link(LinkStatus.PENDING)),
    NotSent("unreachable; check the network", who="stripe"),
    IntegrityBreach("stripe", {"amount": "is 10.00 EUR, not 49.90 EUR"}),
    StoreError("the disk is full; free some space"),
    Conflict("open_link"),
]

each_error = pytest.mark.parametrize(
    "error", [pytest.param(error, id=type(error).__name__) for error in EXAMPLES]
)


def pickled(error: PaybylinkError) -> PaybylinkError:
    again: PaybylinkError = pickle.loads(pickle.dumps(error))  # noqa: S301 - we wrote it ourselves
    return again


def classes_below(kind: type[PaybylinkError]) -> set[type[PaybylinkError]]:
    return {kind}.union(*(classes_below(below) for below in kind.__subclasses__()))


def tree_in_docstring() -> dict[str, str]:
    """Each class drawn at the head of the module, and the one that it is drawn under."""
    parents: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for drawn in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│ ├└─]*)([A-Z]\w+)(?: |$)", drawn)
        if found and (found[1] or not stack):
            while stack and stack[-1][0] >= len(found[1]):
                _ = stack.pop()
            parents[found[2]] = stack[-1][1] if stack else ""
            stack.append((len(found[1]), found[2]))
    return parents


class TestTheTree:
    def test_is_drawn_as_it_is(self) -> None:
        """The picture at the head of the module has every class, each under its base."""
        actual = {
            kind.__name__: next(
                (base.__name__ for base in kind.__bases__ if issubclass(base, PaybylinkError)), ""
            )
            for kind in classes_below(PaybylinkError)
            if kind.__module__ == "paybylink.errors"
        }

        assert actual == tree_in_docstring()

    def test_says_which_builtin_an_error_also_is(self) -> None:
        """Each "(also …)" in the picture is true, and none is forgotten."""
        drawn = dict(re.findall(r"(\w+) +\(also (\w+)\)", errors.__doc__ or ""))
        actual = {
            kind.__name__: kind.__bases__[1].__name__
            for kind in classes_below(PaybylinkError)
            if len(kind.__bases__) > 1
        }

        assert actual == drawn

    def test_each_class_has_a_code_and_an_example_here(self) -> None:
        """Codes are stable names, one for each class, and the tests below see every class."""
        kinds = {kind for kind in classes_below(PaybylinkError) if kind.__module__ == "paybylink.errors"}

        assert {type(error) for error in EXAMPLES} == kinds
        assert len({kind.code for kind in kinds}) == len(kinds)
        assert all("code" in vars(kind) for kind in kinds)


class TestPickling:
    @each_error
    @pytest.mark.parametrize("through", [pickled, copy.copy], ids=["pickle", "copy"])
    def test_keeps_class_text_and_facts(self, error: PaybylinkError, through: Any) -> None:
        """A task queue hands the same error on: its class, text, arguments and every attribute."""
        again = through(error)

        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)
        assert getattr(again, "msg", None) == getattr(error, "msg", None)

    def test_keeps_notes(self) -> None:
        """A note that was added on the way travels with the error."""
        error = Conflict("open_link")
        error.add_note("while renewing")

        assert pickled(error).__notes__ == ["while renewing"]


class TestTexts:
    @pytest.mark.parametrize(
        ("error", "remedy"),
        [
            pytest.param(ReferenceConflict("R", ["amount"], link()), "replace=True", id="other content"),
            pytest.param(AlreadyPaid(link(LinkStatus.PAID)), "refund the payment", id="already paid"),
            pytest.param(LinkClosed(link(LinkStatus.EXPIRED)), "renew(link", id="closed"),
            pytest.param(LinkClosed(link(LinkStatus.PAID)), "nothing is left to pay", id="closed by payment"),
            pytest.param(
                MissingExtra("stripe", "Stripe"), 'pip install "paybylink[stripe]"', id="not installed"
            ),
            pytest.param(Conflict("open_link"), "reads again", id="another writer"),
            pytest.param(
                IntegrityBreach("stripe", {"mode": "is live"}), "nothing was believed", id="other answer"
            ),
            pytest.param(UnsupportedCapability("ovh", "find", "wait"), "wait", id="unsupported"),
            pytest.param(InvalidInput.single("a", "is b", "write c"), "a: is b; write c", id="one fault"),
            pytest.param(IllegalMove("link", "paid", "open"), "from 'paid' to 'open'", id="no such move"),
        ],
    )
    def test_say_what_to_do(self, error: PaybylinkError, remedy: str) -> None:
        """The text names the remedy."""
        assert remedy in str(error)

    def test_of_several_faults_name_each_on_its_line(self) -> None:
        """Every fault has a line of its own with path, fault and remedy."""
        faults = (Fault("a", "is b", "write c"), Fault("d", "is e", "write f"))

        assert str(InvalidInput(faults)) == str(SettingsError(faults)) == "a: is b; write c\nd: is e; write f"

    @each_error
    def test_and_reprs_hold_no_secret(self, error: PaybylinkError) -> None:
        """Neither the text nor the repr of an error, or of what it carries, holds an address, token or URL."""
        carried = [error, *vars(error).values()]

        assert "MARKED" not in f"{error}{carried!r}"

    def test_unknown_outcome_hands_over_its_link(self) -> None:
        """`link` is the subject where that is a link, else None."""
        pending = link(LinkStatus.PENDING)

        assert OutcomeUnknown("?", subject=pending).link is pending
        assert OutcomeUnknown("?", subject="a refund").link is None


class TestFaults:
    @pytest.mark.parametrize(
        ("path", "prefix", "seen"),
        [
            pytest.param("amount", "order", "order.amount", id="a field"),
            pytest.param("[2]", "lines", "lines[2]", id="a place"),
            pytest.param("", "order", "order", id="the thing itself"),
            pytest.param("amount", "", "amount", id="no prefix"),
        ],
    )
    def test_paths_are_seen_from_further_out(self, path: str, prefix: str, seen: str) -> None:
        """A fault inside something is told by its whole path."""
        assert Fault(path, "is x", "write y").under(prefix) == Fault(seen, "is x", "write y")

    def test_are_gathered_and_raised_at_once(self) -> None:
        """Faults of several places come in one error, in order; without faults nothing is raised."""
        faults = Faults()
        faults.raise_any()
        assert not faults

        faults.add("reference", "is empty", "name it")
        with faults.at("lines[0]"):
            raise InvalidInput.single("quantity", "is 0", "write more")
        with faults.at("lines[1]"):
            pass

        assert faults
        with pytest.raises(InvalidInput) as caught:
            faults.raise_any()
        assert [fault.path for fault in caught.value.faults] == ["reference", "lines[0].quantity"]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(link(), id="link"),
        pytest.param(
            PendingLink(
                id="01", token="MARKED", order=ORDER, kind=SingleUse(), expires_at=NOW, url="https://MARKED"
            ),
            id="pending link",
        ),
        pytest.param(ORDER, id="order"),
        pytest.param(ORDER.customer, id="customer"),
        pytest.param(Document(name="a.pdf", content=b"%PDF-MARKED"), id="document"),
        pytest.param(
            MailServer(host="mail.example", port=465, username="MARKED", password="MARKED"), id="mail server"
        ),
        pytest.param(
            Envelope(
                who="smtp",
                server=MailServer(host="mail.example", port=465, username="MARKED", password="MARKED"),
                sender="pay@atelier.example",
                recipient="MARKED@example.com",
                content=b"MARKED",
            ),
            id="envelope",
        ),
        pytest.param(
            Message(
                medium=Medium.EMAIL, recipient="MARKED", content=b"MARKED", subject="MARKED", text="MARKED"
            ),
            id="message",
        ),
        pytest.param(
            Delivery(
                id="01",
                link_id="01",
                channel="smtp",
                medium=Medium.EMAIL,
                purpose=Purpose.REQUEST,
                recipient="MARKED@example.com",
                outcome=Outcome.UNKNOWN,
                reserved_at=NOW,
                detail="550 MARKED",
            ),
            id="delivery",
        ),
        pytest.param(Step(Statement("open_link", "sql MARKED"), {"token": "MARKED"}), id="step"),
    ],
)
def test_reprs_of_values_hold_no_secret(value: object) -> None:
    """Passwords, tokens, URLs that can be paid, and personal data are in no repr."""
    assert "MARKED" not in repr(value)

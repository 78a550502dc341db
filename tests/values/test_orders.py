"""Promises about orders: every fault at once with its path, VAT that adds up, amounts that agree with lines."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_DOWN, Decimal, Inexact, localcontext
from fractions import Fraction
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from paybylink.address import Address
from paybylink.checkout import Checkout
from paybylink.checks import in_utc, is_future, member
from paybylink.errors import InvalidInput
from paybylink.lines import LineItem, VatGroup, vat_groups
from paybylink.money import MAX_MINOR, MAX_STORED, Money
from paybylink.orders import Customer, Document, DocumentType, Order, as_order, order_fingerprint
from paybylink.testing import strategies

EUR = Money(4990, "EUR")
#: What the type checkers refuse as well; callers without one meet the error.
WRONG: Any = 49.90


def line(price: int = 4990, **content: Any) -> LineItem:
    return LineItem(description="Logo", unit_price=Money(price, "EUR"), **content)


def order(**content: Any) -> Order:
    return Order(**{"reference": "INV-7", "amount": EUR, **content})


def faults_of(make: Any, **content: Any) -> list[str]:
    """The paths of everything that is wrong."""
    with pytest.raises(InvalidInput) as caught:
        make(**content)
    assert all(fault.fault and fault.remedy for fault in caught.value.faults)
    return [fault.path for fault in caught.value.faults]


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("a\nb", id="line feed"),
            pytest.param("a\r\nBcc: b", id="header injection"),
            pytest.param("a\tb", id="tab"),
            pytest.param("a\x00b", id="nul"),
            pytest.param("a\x7fb", id="delete"),
            pytest.param("a\x85b", id="next line"),
            pytest.param("a\u2028b", id="line separator"),
            pytest.param("a\u2029b", id="paragraph separator"),
            pytest.param("a\ud800b", id="half a surrogate pair"),
            pytest.param(7, id="no text"),
            pytest.param(None, id="none where text is due"),
        ],
    )
    def test_with_control_characters_is_refused_in_every_field(self, text: Any) -> None:
        """No field that reaches a header, a row or a vendor takes a control character."""
        found = faults_of(
            Order,
            reference=text,
            amount=EUR,
            description=text,
            part=text,
            tenant=text,
            metadata={"note": text},
            tags=[text],
        )

        assert found == ["reference", "description", "part", "tenant", "metadata['note']", "tags[0]"]
        assert faults_of(LineItem, description=text, unit_price=EUR) == ["description"]
        assert set(faults_of(Document, name=text, content=b"%PDF-")) == {"name"}
        assert faults_of(Customer, name=text, code=text) == ["name", "code"]
        if text is not None:
            assert faults_of(order, return_url=text)[0] == "return_url"
            assert faults_of(Customer, email=text, phone=text, language=text)[-2:] == ["phone", "language"]
            assert faults_of(Customer, email=text)[0] == "email"

    @pytest.mark.parametrize(
        ("field", "longest"), [("reference", 80), ("description", 250), ("part", 40), ("tenant", 64)]
    )
    def test_has_a_longest_length(self, field: str, longest: int) -> None:
        """The longest text is taken and one character more is refused."""
        assert getattr(order(**{field: "x" * longest}), field) == "x" * longest
        assert faults_of(order, **{field: "x" * (longest + 1)}) == [field]

    @given(strategies.texts(least=1))
    def test_of_every_script_is_taken(self, text: str) -> None:
        """Any other text is kept as it was written."""
        assert order(reference=text, description=text).reference == text


class TestOrder:
    def test_names_every_fault_at_once(self) -> None:
        """One error has all faults, in the order of the fields, each with its path and its remedy."""
        found = faults_of(
            Order,
            reference=" ",
            amount=WRONG,
            description="x" * 251,
            customer="Zoé",
            checkout="card",
            metadata={"": "a", "a[b]": "c", "paybylink_link": "d", "long" * 6: "e", "new\nline": "f", 7: "g"},
            tags=["shop", ""],
            return_url="http://shop.example/back",
        )

        assert found == [
            "reference",
            "description",
            "amount",
            "customer",
            "checkout",
            "metadata['']",
            "metadata['a[b]']",
            "metadata['paybylink_link']",
            "metadata['longlonglonglonglonglong']",
            "metadata['new\\nline']",
            "metadata[7]",
            "tags[1]",
            "return_url",
        ]

    @pytest.mark.parametrize(
        ("content", "path"),
        [
            pytest.param({"amount": WRONG}, "amount", id="float"),
            pytest.param({"amount": "49.90 EUR"}, "amount", id="text"),
            pytest.param({"amount": None}, "amount", id="neither amount nor lines"),
            pytest.param({"amount": Money(0, "EUR")}, "amount", id="zero"),
            pytest.param({"amount": Money(-1, "EUR")}, "amount", id="negative"),
            pytest.param({"amount": Money.read(MAX_MINOR + 1, "EUR")}, "amount.minor", id="13 digits"),
            pytest.param({"amount": Money.read(4990, "BGN")}, "amount.currency", id="withdrawn currency"),
            pytest.param({"amount": None, "lines": ["Logo"]}, "lines", id="lines of something else"),
            pytest.param({"lines": [line(4989)]}, "amount", id="other than the lines"),
            pytest.param({"amount": Money(4990, "USD"), "lines": [line()]}, "amount", id="other currency"),
            pytest.param(
                {"amount": None, "lines": [line(), LineItem(description="b", unit_price=Money(1, "USD"))]},
                "lines",
                id="lines of two currencies",
            ),
            pytest.param(
                {"amount": None, "lines": [line(MAX_MINOR)] * 2}, "amount.minor", id="sum of 13 digits"
            ),
            pytest.param(
                {"amount": None, "lines": [line(MAX_MINOR, quantity=10**9)]}, "lines", id="sum of 21 digits"
            ),
            pytest.param({"amount": None, "lines": [line(-1)]}, "amount", id="lines below zero"),
        ],
    )
    def test_refuses_an_amount_that_cannot_be_asked_for(self, content: dict[str, Any], path: str) -> None:
        """The amount is exact, above zero, at most 12 digits, in a current currency, and agrees with the lines."""
        assert faults_of(order, **content) == [path]

    def test_takes_its_amount_from_its_lines(self) -> None:
        """Without an amount the lines make it, with their VAT; an equal amount may stand beside them."""
        lines = [
            line(1000, quantity="1.5", vat_rate="20"),
            line(1000, vat_rate=20, vat_included=False),
            line(-200),
        ]
        made = Order(reference="INV-7", lines=lines)

        assert made.amount == Money(1500 + 1200 - 200, "EUR")
        assert Order(reference="INV-7", lines=lines, amount=made.amount) == made
        assert sum((group.gross for group in made.vat_groups), Money.zero("EUR")) == made.amount

    def test_without_lines_has_no_vat(self) -> None:
        """An order by amount has no VAT groups."""
        assert order().vat_groups == ()

    def test_refuses_more_metadata_than_providers_take(self) -> None:
        """20 pairs go through, 21 do not."""
        pairs = {f"key{number}": "x" for number in range(21)}

        assert faults_of(order, metadata=pairs) == ["metadata"]
        del pairs["key20"]
        assert order(metadata=pairs).metadata == pairs

    @pytest.mark.parametrize(
        "url",
        [
            "https://shop.example/thanks?order=7",
            "http://127.0.0.1:8000/thanks",
            "http://localhost/thanks",
            "http://[::1]:80/",
        ],
    )
    def test_returns_payers_to_https_or_to_this_machine(self, url: str) -> None:
        """https anywhere, http only here."""
        assert order(return_url=url).return_url == url

    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("http://shop.example/", id="plain http"),
            pytest.param("http://localhost.shop.example/", id="a host that begins like this machine"),
            pytest.param("http://127.0.0.1@shop.example/", id="a user that looks like this machine"),
            pytest.param("https://", id="no host"),
            pytest.param("https://[::1", id="half a bracket"),
            pytest.param("https://shop.example/a b", id="space"),
            pytest.param("javascript:alert(1)", id="script"),
            pytest.param("", id="empty"),
        ],
    )
    def test_refuses_other_return_addresses(self, url: str) -> None:
        """Anything else is refused, also where it only looks right."""
        assert "return_url" in faults_of(order, return_url=url)

    @given(strategies.orders())
    def test_made_again_from_its_own_fields_is_equal(self, made: Order) -> None:
        """A copy by its fields equals it and has the same fingerprint."""
        again = Order(
            reference=made.reference,
            amount=made.amount,
            description=made.description,
            lines=made.lines,
            customer=made.customer,
            part=made.part,
            tenant=made.tenant,
            return_url=made.return_url,
            metadata=made.metadata,
            tags=made.tags,
            checkout=made.checkout,
        )

        assert again == made
        assert order_fingerprint(again) == order_fingerprint(made)


class TestCustomer:
    @pytest.mark.parametrize(
        ("content", "path"),
        [
            pytest.param({"email": "nobody"}, "email", id="no at sign"),
            pytest.param({"email": " "}, "email", id="blank address"),
            pytest.param({"phone": ""}, "phone", id="empty number"),
            pytest.param({"language": ""}, "language", id="empty language"),
            pytest.param({"country": "fr"}, "country", id="small letters"),
            pytest.param({"country": "FRA"}, "country", id="three letters"),
            pytest.param({"country": "F1"}, "country", id="digit"),
            pytest.param({"country": "ÉÉ"}, "country", id="accents"),
            pytest.param({"country": 33}, "country", id="number"),
            pytest.param({"name": "x" * 141}, "name", id="long name"),
            pytest.param({"address": "12 rue de la Paix, Paris"}, "address", id="address on one line"),
            pytest.param({"organisation": "x" * 141}, "organisation", id="long organisation"),
            pytest.param({"vat_number": "x" * 21}, "vat_number", id="long VAT number"),
        ],
    )
    def test_refuses_what_no_channel_could_use(self, content: dict[str, Any], path: str) -> None:
        """Each field is checked as far as it can be without its channel."""
        assert faults_of(Customer, **content) == [path]

    def test_with_many_faults_names_all(self) -> None:
        """All faults of one customer come at once."""
        found = faults_of(Customer, name=7, email="x", phone="", language="", code="\n", country="x")

        assert found == ["name", "code", "email", "phone", "language", "country"]


class TestDocument:
    @pytest.mark.parametrize(
        ("content", "path"),
        [
            pytest.param({"name": "../invoice.pdf"}, "name", id="path"),
            pytest.param({"name": 'a".pdf'}, "name", id="quote"),
            pytest.param({"name": ""}, "name", id="no name"),
            pytest.param({"content": b"GIF89a"}, "content", id="no PDF"),
            pytest.param({"content": "%PDF-1.7"}, "content", id="text"),
            pytest.param({"type": "receipt"}, "type", id="unknown type"),
        ],
    )
    def test_refuses_what_is_no_named_pdf(self, content: dict[str, Any], path: str) -> None:
        """Only a PDF with a bare file name goes with a link."""
        assert faults_of(Document, **{"name": "Facture.pdf", "content": b"%PDF-1.7", **content}) == [path]

    def test_takes_its_type_as_a_word(self) -> None:
        """``type="quote"`` means the member."""
        word: Any = "quote"

        assert Document(name="Devis.pdf", content=b"%PDF-", type=word).type is DocumentType.QUOTE


class TestLines:
    @pytest.mark.parametrize(
        ("content", "path"),
        [
            pytest.param({"quantity": 1.5}, "quantity", id="float quantity"),
            pytest.param({"quantity": True}, "quantity", id="boolean quantity"),
            pytest.param({"quantity": 0}, "quantity", id="zero quantity"),
            pytest.param({"quantity": "-1"}, "quantity", id="negative quantity"),
            pytest.param({"quantity": "two"}, "quantity", id="word for a quantity"),
            pytest.param({"quantity": "Infinity"}, "quantity", id="infinite quantity"),
            pytest.param({"quantity": "1.2345"}, "quantity", id="four decimals"),
            pytest.param({"quantity": "1E+9999"}, "quantity", id="astronomic quantity"),
            pytest.param({"vat_rate": 20.0}, "vat_rate", id="float rate"),
            pytest.param({"vat_rate": "-1"}, "vat_rate", id="negative rate"),
            pytest.param({"vat_rate": 101}, "vat_rate", id="rate above 100"),
            pytest.param({"vat_rate": "NaN"}, "vat_rate", id="no rate"),
            pytest.param({"unit_price": WRONG}, "unit_price", id="float price"),
            pytest.param({"description": ""}, "description", id="empty description"),
        ],
    )
    def test_refuse_what_is_not_exact(self, content: dict[str, Any], path: str) -> None:
        """Quantity and rate are exact decimals within reason."""
        assert faults_of(LineItem, **{"description": "Logo", "unit_price": EUR, **content}) == [path]

    def test_name_all_their_faults(self) -> None:
        """All faults of one line come at once."""
        found = faults_of(LineItem, description="", unit_price=WRONG, quantity=1.5, vat_rate=20.0)

        assert found == ["description", "quantity", "vat_rate", "unit_price"]

    @pytest.mark.parametrize(
        ("quantity", "price", "total"), [("1.5", 333, 500), ("0.5", 1, 1), ("0.5", -1, -1), (3, 333, 999)]
    )
    def test_total_is_rounded_half_up(self, quantity: Any, price: int, total: int) -> None:
        """Half a unit is rounded away from zero."""
        assert line(price, quantity=quantity).total == Money(total, "EUR")

    @given(st.lists(strategies.line_items(least=-(10**6)), min_size=1, max_size=8))
    def test_vat_is_exact_and_adds_up(self, lines: list[LineItem]) -> None:
        """Each group's net and VAT make its gross, rounded once per rate; the groups make the total."""
        groups = vat_groups(lines)
        expected = Fraction(0)
        for rate in {line.vat_rate for line in lines}:
            for included in (True, False):
                of_one = [line for line in lines if (line.vat_rate, line.vat_included) == (rate, included)]
                summed = sum(line.total.minor for line in of_one)
                expected += summed if included else summed + _half_up(summed * Fraction(rate or 0) / 100)

        assert all(group.net + group.vat == group.gross for group in groups)
        assert sum(group.gross.minor for group in groups) == expected
        rates = [group.rate for group in groups]
        assert len(set(rates)) == len(rates)
        assert rates == sorted(rates, key=lambda rate: -1 if rate is None else rate, reverse=True)

    def test_priced_with_and_without_vat_share_a_group(self) -> None:
        """One rate is one group, however its lines are priced."""
        groups = vat_groups(
            [line(1200, vat_rate=20), line(1000, vat_rate="20.0", vat_included=False), line(7)]
        )

        assert [(group.net.minor, group.vat.minor, group.gross.minor) for group in groups] == [
            (2000, 400, 2400),
            (7, 0, 7),
        ]
        assert groups[1] == VatGroup(
            rate=None, net=Money(7, "EUR"), vat=Money(0, "EUR"), gross=Money(7, "EUR")
        )

    def test_are_exact_in_any_decimal_context(self) -> None:
        """A host that works with few digits, other rounding or traps gets the same sums."""
        lines = [line(123_456_789, quantity="7.125", vat_rate="5.5"), line(999_999_999, vat_rate=20)]
        expected, fingerprint = vat_groups(lines), order_fingerprint(Order(reference="a", lines=lines))

        with localcontext() as context:
            context.prec, context.rounding = 3, ROUND_DOWN
            context.traps[Inexact] = True
            again = [
                LineItem(
                    description=line.description,
                    unit_price=line.unit_price,
                    quantity=line.quantity,
                    vat_rate=line.vat_rate,
                )
                for line in lines
            ]

            assert vat_groups(again) == expected
            assert order_fingerprint(Order(reference="a", lines=again)) == fingerprint


def _half_up(value: Fraction) -> int:
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


class TestFingerprint:
    @pytest.mark.parametrize(
        ("changes", "differs"),
        [
            pytest.param({"amount": Money(4991, "EUR")}, "amount", id="amount"),
            pytest.param({"amount": Money(4990, "USD")}, "amount", id="currency"),
            pytest.param({"description": "Logos"}, "description", id="description"),
            pytest.param({"lines": (line(),)}, "lines", id="lines"),
            pytest.param({"customer": Customer(name="Zoé")}, "customer", id="customer"),
            pytest.param({"return_url": "https://shop.example/"}, "return_url", id="return address"),
            pytest.param({"metadata": {"a": "b"}}, "metadata", id="metadata"),
            pytest.param({"tags": ("a",)}, "tags", id="tags"),
        ],
    )
    def test_tells_which_field_differs(self, changes: dict[str, Any], differs: str) -> None:
        """One changed field changes one entry, under its name."""
        before, after = order_fingerprint(order()), order_fingerprint(order(**changes))

        assert {name for name in before if before[name] != after[name]} == {differs}

    @pytest.mark.parametrize(
        ("content", "differs"),
        [
            pytest.param({"methods": ("card",)}, "methods", id="methods"),
            pytest.param({"blocked_methods": ("card",)}, "blocked_methods", id="blocked methods"),
            pytest.param({"language": "fr"}, "language", id="language"),
            pytest.param({"statement": "ATELIER"}, "statement", id="statement"),
            pytest.param({"capture": "manual"}, "capture", id="capture"),
            pytest.param({"capture_after": dt.timedelta(hours=1)}, "capture", id="delay"),
            pytest.param({"prefill": True}, "prefill", id="prefill"),
            pytest.param({"extra": {"stripe": {"a": 1}}}, "extra", id="extra"),
        ],
    )
    def test_tells_which_field_of_the_checkout_differs(self, content: dict[str, Any], differs: str) -> None:
        """The checkout is content field by field; one that says nothing leaves the fingerprint as it always was."""
        before = order_fingerprint(order(checkout=Checkout(methods="ideal", statement="SHOP")))
        given = {"methods": "ideal", "statement": "SHOP"} | content
        after = order_fingerprint(order(checkout=Checkout(**given)))

        assert {name for name in before if before[name] != after[name]} == {f"checkout.{differs}"}
        assert order_fingerprint(order(checkout=Checkout())) == order_fingerprint(order())
        assert not any(name.startswith("checkout") for name in order_fingerprint(order()))

    @pytest.mark.parametrize(
        "later",
        [
            pytest.param(
                {"address": Address(street="a", city="b", postal_code="c", country="FR")}, id="address"
            ),
            pytest.param({"organisation": "Atelier"}, id="organisation"),
            pytest.param({"vat_number": "FR40303265045"}, id="VAT number"),
        ],
    )
    def test_sees_everything_of_the_customer(self, later: dict[str, Any]) -> None:
        """A customer who moved, or pays as a company, is another one; told by a digest alone."""
        plain, more = Customer(name="Zoé"), Customer(name="Zoé", **later)
        told = order_fingerprint(order(customer=more))

        assert told["customer"] != order_fingerprint(order(customer=plain))["customer"]
        assert len(told["customer"]) == 64

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"reference": "INV-8"}, id="reference"),
            pytest.param({"part": "deposit"}, id="part"),
            pytest.param({"tenant": "shop"}, id="tenant"),
        ],
    )
    def test_leaves_out_what_names_the_order(self, changes: dict[str, Any]) -> None:
        """Keys are no content."""
        assert order_fingerprint(order(**changes)) == order_fingerprint(order())

    def test_sees_values_and_not_their_spelling(self) -> None:
        """Trailing zeros and the order of pairs and tags do not count."""
        one = order(
            lines=(line(2495, quantity="2.0", vat_rate="20.00"),),
            metadata={"a": "1", "b": "2"},
            tags=("a", "b"),
        )
        other = order(
            lines=(line(2495, quantity=2, vat_rate=20),), metadata={"b": "2", "a": "1"}, tags=("b", "a")
        )

        assert order_fingerprint(one) == order_fingerprint(other)

    def test_holds_no_personal_data(self) -> None:
        """The customer is a digest, which tells equal from other and nothing else."""
        zoe = Customer(name="Zoé", email="zoe@example.com", phone="+33639980001")
        told = str(order_fingerprint(order(customer=zoe)))

        assert not any(secret in told for secret in ("Zoé", "zoe@", "+336"))
        assert order_fingerprint(order(customer=evolve(zoe, phone=None)))["customer"] not in told


class TestShortCalls:
    def test_make_the_order_that_they_mean(self) -> None:
        """Text, money and an order itself all become an order."""
        whole = Order(reference="INV-7", amount=EUR, description="Logo", tenant="shop")

        assert as_order("49.90 EUR", reference="INV-7", description="Logo", tenant="shop") == whole
        assert as_order(EUR, reference="INV-7", description="Logo", tenant="shop") == whole
        assert as_order(whole, reference=None, description="", tenant="") is whole

    @pytest.mark.parametrize(
        ("given", "content", "paths"),
        [
            pytest.param("1.234", {"reference": None}, ["amount", "reference"], id="both wrong"),
            pytest.param("10 XXQ", {"reference": "a"}, ["currency"], id="unknown currency"),
            pytest.param(WRONG, {"reference": "a"}, ["amount"], id="float"),
            pytest.param(EUR, {"reference": ""}, ["reference"], id="empty reference"),
            pytest.param(order(), {"reference": "a"}, ["reference"], id="reference beside an order"),
            pytest.param(
                order(), {"reference": None, "description": "b"}, ["reference"], id="description beside one"
            ),
        ],
    )
    def test_refuse_what_has_no_clear_meaning(
        self, given: Any, content: dict[str, Any], paths: list[str]
    ) -> None:
        """What is wrong is named as the caller wrote it."""
        assert faults_of(as_order, given=given, **{"description": "", "tenant": "", **content}) == paths


class TestMoments:
    def test_in_the_future_come_back_in_utc(self, moment: dt.datetime) -> None:
        """An aware moment of any zone is given back in UTC."""
        zone = dt.timezone(dt.timedelta(hours=2))
        later = (moment + dt.timedelta(seconds=1)).astimezone(zone)
        read = is_future(later, now=moment, path="expires_at")

        assert read == later
        assert read.tzinfo is dt.UTC

    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param(dt.datetime(2030, 1, 1), id="naive"),  # noqa: DTZ001 - refused for it
            pytest.param(dt.datetime(2025, 12, 31, tzinfo=dt.UTC), id="past"),
            pytest.param(dt.datetime(2026, 1, 1, 9, 30, tzinfo=dt.UTC), id="now"),
            pytest.param(dt.date(2030, 1, 1), id="a day"),
        ],
    )
    def test_that_are_naive_or_past_are_refused(self, wrong: Any, moment: dt.datetime) -> None:
        """No zone, no future, no moment: refused under the caller's own name for it."""
        assert faults_of(lambda **content: is_future(wrong, **content), now=moment, path="expires_at") == [
            "expires_at"
        ]


def test_largest_stored_amounts_can_be_totalled() -> None:
    """A line that was stored with 18 digits keeps them."""
    assert LineItem(description="a", unit_price=Money.read(MAX_STORED, "EUR")).total.minor == MAX_STORED


def test_half_cents_of_vat_round_away_from_zero() -> None:
    """12.50 % of 1.00 is 12.5 cents, which is 13; of a discount likewise."""
    assert [
        vat_groups([line(price, vat_rate=Decimal("12.5"), vat_included=False)])[0].vat.minor
        for price in (100, -100)
    ] == [13, -13]


class TestMember:
    def test_is_found_by_its_word_or_named_as_a_fault(self) -> None:
        """A word that is none is refused with those that are."""
        assert member(DocumentType, "quote", "type") is DocumentType.QUOTE
        with pytest.raises(InvalidInput, match=r"type: .*invoice, deposit, quote, other"):
            _ = member(DocumentType, "poem", "type")


class TestInUtc:
    def test_moments_of_any_zone_are_read_and_naive_ones_refused(self) -> None:
        """Paris at noon is eleven o'clock in winter; noon alone is nobody's."""
        noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=1)))

        assert in_utc(noon, path="since") == dt.datetime(2026, 1, 1, 11, tzinfo=dt.UTC)
        assert in_utc(noon, path="since").tzinfo is dt.UTC
        with pytest.raises(InvalidInput, match="since: has no time zone"):
            _ = in_utc(noon.replace(tzinfo=None), path="since")

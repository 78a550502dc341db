"""
Money: a whole number of minor units and a currency; never a float.

Rule 1: nothing is rounded unasked. Too many decimals are refused; only `share` and `percentage` round, half
        up, and `split` and `split_by` divide without losing a unit.
Rule 2: two currencies never meet. Adding or comparing them is refused; conversion is a matter of the books.
Rule 3: text with two readings is refused and both are named. One mark before exactly three digits ("1.234")
        is a thousands mark here and a decimal mark there, also where a currency has three decimals. A
        leading zero settles it: "01.234 KWD" can only be decimals.
Rule 4: what is asked for has a current currency and at most 12 digits of minor units. What was stored or
        reported (`Money.read`), and sums, may have a withdrawn currency and 18 digits, so that no payment
        is lost.

Whether an amount must be positive is for orders and refunds to say. Formatting by locale lives with the
wording.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from attrs import frozen

from .currencies import CURRENT, WireExponents, current_code, iso_exponent, known_code
from .errors import Fault, InvalidInput

if TYPE_CHECKING:
    from decimal import Decimal

#: The most minor units that can be asked for: 12 digits.
MAX_MINOR: Final = 10**12 - 1
#: The most minor units that can be read and added up: 18 digits, which a 64-bit column holds.
MAX_STORED: Final = 10**18 - 1

_SCALES = (1, 10, 100, 1_000, 10_000)
_LONGEST_TEXT = 64
_DIGITS = "0123456789"
# Space, no-break space, narrow no-break space, thin space.
_SPACES = " \u00a0\u202f\u2009"
# … and the Swiss apostrophe, plain and typographic.
_GROUP_MARKS = _SPACES + "'\u2019"
# "£" without a country is sterling; "$" and "¥" are never one currency.
_SYMBOLS = {"€": "EUR", "£": "GBP"}


@frozen(order=False)
class Money:
    """
    An exact amount in one currency.

    Attributes:
        minor: minor units (cents for EUR, yen for JPY), at most 12 digits.
        currency: the ISO 4217 code; small letters become capitals. Withdrawn codes need `Money.read`.

    Raises:
        InvalidInput: with every fault; it is a ValueError too.
    """

    minor: int
    currency: str

    def __attrs_post_init__(self) -> None:
        minor_is_fine = type(self.minor) is int and -MAX_MINOR <= self.minor <= MAX_MINOR
        if minor_is_fine and type(self.currency) is str and self.currency in CURRENT:
            return
        faults = _minor_faults(self.minor, MAX_MINOR)
        try:
            object.__setattr__(self, "currency", current_code(self.currency))
        except InvalidInput as error:
            faults += error.faults
        if faults:
            raise InvalidInput(faults)

    @classmethod
    def of(cls, amount: str | Decimal | int, currency: str) -> Money:
        """
        Money from major units: ``Money.of("49.90", "EUR")``; an int counts whole units.

        Text is as programs write it: digits, and a point before decimals.

        Raises:
            InvalidInput: a float, unreadable text, more decimals than the currency has, more than 12 digits,
                an unknown or a withdrawn currency.
        """
        code = current_code(currency)
        minor = _minor_of(amount, code)
        if faults := _minor_faults(minor, MAX_MINOR, path="amount"):
            raise InvalidInput(faults)
        return cls(minor, code)

    @classmethod
    def parse(cls, text: str) -> Money:
        """
        Money from what a person wrote: "49.90 EUR", "49,90 €", "EUR 1 234,50", "1'234.50 chf".

        Raises:
            InvalidInput: no currency or an unclear one, two readings (both are named), or what `of` refuses.
        """
        number, code = _number_and_code(text)
        return cls.of(_plain(number, code), code)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in `currency`; where a sum begins: ``sum(amounts, Money.zero("EUR"))``."""
        return cls(0, currency)

    @classmethod
    def read(cls, minor: int, currency: str) -> Money:
        """
        Money that was stored or reported: withdrawn currencies and up to 18 digits are accepted.

        Raises:
            InvalidInput: an unknown currency, not an int, or more than 18 digits.
        """
        code = known_code(currency)
        if faults := _minor_faults(minor, MAX_STORED):
            raise InvalidInput(faults)
        money = object.__new__(cls)
        object.__setattr__(money, "minor", minor)
        object.__setattr__(money, "currency", code)
        return money

    @classmethod
    def read_text(cls, amount: str, currency: str) -> Money:
        """
        Money that was stored or reported as decimal text ("10.00"), by the rules of `read`.

        Raises:
            InvalidInput: unreadable text, more decimals than the currency has, or what `read` refuses.
        """
        code = known_code(currency)
        return cls.read(_minor_of_text(amount, code), code)

    @property
    def exponent(self) -> int:
        """The number of decimals that the currency has in ISO 4217."""
        return iso_exponent(self.currency)

    @property
    def amount_text(self) -> str:
        """Major units with all decimals and a point, in ASCII: "49.90"; `of` reads it back exactly."""
        exponent, sign = self.exponent, "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).zfill(exponent + 1)
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else sign + digits

    @property
    def decimal(self) -> Decimal:
        """Major units with all decimals, exact in any decimal context."""
        from decimal import Decimal

        return Decimal(self.amount_text)

    @property
    def is_zero(self) -> bool:
        """Whether it is nothing."""
        return self.minor == 0

    def __str__(self) -> str:
        """Like "49.90 EUR", in ASCII. `parse` reads it back, or refuses it by rule 3 ("1.234 KWD")."""
        return f"{self.amount_text} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money.read(self.minor + self._minor_of_same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money.read(self.minor - self._minor_of_same(other), self.currency)

    def __neg__(self) -> Money:
        return Money.read(-self.minor, self.currency)

    def __mul__(self, factor: int) -> Money:
        if type(factor) is not int:
            remedy = "multiply by an int, or use share() or percentage(), which round"
            raise InvalidInput.single("factor", f"is {type(factor).__name__}", remedy)
        return Money.read(self.minor * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._minor_of_same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._minor_of_same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._minor_of_same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._minor_of_same(other)

    def share(self, rate: Decimal | int) -> Money:
        """`rate` times the amount (``Decimal("0.2")`` is a fifth), rounded half up (away from zero)."""
        over, under = _ratio(rate, "rate")
        return Money.read(_half_up(self.minor * over, under), self.currency)

    def percentage(self, percent: Decimal | int) -> Money:
        """`percent` hundredths of the amount (``20`` is a fifth), rounded half up (away from zero)."""
        over, under = _ratio(percent, "percent")
        return Money.read(_half_up(self.minor * over, under * 100), self.currency)

    def split(self, parts: int) -> tuple[Money, ...]:
        """
        `parts` amounts that differ by one minor unit at most and add up to this one, the larger first.

        Raises:
            InvalidInput: less than one part.
        """
        if type(parts) is not int or parts < 1:
            raise InvalidInput.single("parts", "is not an int of at least 1", "write how many parts to make")
        return self.split_by((1,) * parts)

    def split_by(self, weights: Sequence[Decimal | int]) -> tuple[Money, ...]:
        """
        Amounts in the proportion of `weights`, in their order, that add up to this one.

        What is left after rounding down goes, a unit each, to the largest remainders, the earlier first.
        A weight of zero gets nothing.

        Raises:
            InvalidInput: no weights, a negative one, or all zero.
        """
        ratios = [_ratio(weight, f"weights[{place}]") for place, weight in enumerate(weights)]
        if any(over < 0 for over, _ in ratios) or not any(over for over, _ in ratios):
            raise InvalidInput.single("weights", "are negative or all zero", "give at least one above zero")
        from math import lcm

        common = lcm(*(under for _, under in ratios))
        wholes = [over * (common // under) for over, under in ratios]
        total, sign = sum(wholes), -1 if self.minor < 0 else 1
        pieces, rests = zip(*(divmod(abs(self.minor) * whole, total) for whole in wholes), strict=True)
        left = abs(self.minor) - sum(pieces)
        lucky = set(sorted(range(len(rests)), key=lambda place: -rests[place])[:left])
        return tuple(
            Money.read(sign * (piece + (place in lucky)), self.currency) for place, piece in enumerate(pieces)
        )

    def _minor_of_same(self, other: object) -> int:
        if not isinstance(other, Money):
            raise InvalidInput.single("other", f"is {type(other).__name__}", "use Money with Money")
        if other.currency != self.currency:
            fault = f"is in {other.currency}, not in {self.currency}"
            raise InvalidInput.single("currency", fault, "convert one of them; nothing is converted here")
        return other.minor


def to_wire(money: Money, provider_exponents: WireExponents) -> int:
    """
    The amount in the provider's minor units.

    Raises:
        InvalidInput: the provider does not list the currency, or cannot say the amount exactly.
    """
    shift = provider_exponents.exponent(money.currency) - money.exponent
    value, rest = divmod(money.minor * _SCALES[max(shift, 0)], _SCALES[max(-shift, 0)])
    step = provider_exponents.steps.get(money.currency, 1)
    if rest or value % step:
        raise InvalidInput.single(
            "amount",
            f"{money} is finer than {provider_exponents.provider} counts",
            f"make it a multiple of {Money.read(max(_SCALES[max(-shift, 0)], step), money.currency)}",
        )
    return value


def from_wire(value: int, currency: str, provider_exponents: WireExponents) -> Money:
    """
    What a provider reported in its own minor units; `currency` in any case, withdrawn ones too.

    Raises:
        InvalidInput: not an int, an unknown or unlisted currency, or finer than ISO 4217 counts.
    """
    if faults := _minor_faults(value, MAX_STORED):
        raise InvalidInput(faults)
    shift = provider_exponents.exponent(currency) - iso_exponent(currency)
    minor, rest = divmod(value * _SCALES[max(-shift, 0)], _SCALES[max(shift, 0)])
    if rest:
        fault = f"{value} of {provider_exponents.provider}'s units has decimals that the currency lacks"
        raise InvalidInput.single("amount", fault, "look it up at the provider; nothing is rounded here")
    return Money.read(minor, currency)


def _minor_faults(minor: object, most: int, *, path: str = "minor") -> tuple[Fault, ...]:
    if type(minor) is not int:
        remedy = 'give minor units as an int, or write Money.of("49.90", "EUR")'
        return (Fault(path, f"is {type(minor).__name__}", remedy),)
    if not -most <= minor <= most:
        fault = f"has more than {len(str(most))} digits"
        return (Fault(path, fault, "check the amount and its currency"),)
    return ()


def _minor_of(amount: object, code: str) -> int:
    if type(amount) is int:
        return amount * _SCALES[iso_exponent(code)]
    if isinstance(amount, str):
        return _minor_of_text(amount, code)
    if isinstance(amount, float):
        fault = "is a float, which holds most amounts only roughly"
        raise InvalidInput.single("amount", fault, 'write it as a string: Money.of("49.90", "EUR")')
    over, under = _ratio(amount, "amount")
    minor, rest = divmod(over * _SCALES[iso_exponent(code)], under)
    if rest:
        raise _too_fine(code)
    return minor


def _minor_of_text(amount: object, code: str) -> int:
    text = amount if isinstance(amount, str) and len(amount) <= _LONGEST_TEXT else ""
    whole, point, fraction = text.removeprefix("-").partition(".")
    if not _is_digits(whole) or (point and not _is_digits(fraction)):
        remedy = 'write digits and a point, like "49.90"; Money.parse() reads what people write'
        raise InvalidInput.single("amount", "is not a decimal number", remedy)
    exponent = iso_exponent(code)
    if len(fraction) > exponent:
        raise _too_fine(code)
    minor = int(whole + fraction.ljust(exponent, "0"))
    return -minor if text.startswith("-") else minor


def _number_and_code(text: object) -> tuple[str, str]:
    """The number as it was written, and the currency in capitals, whichever came first."""
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
        raise _unreadable("is not a short text")
    places = [place for place, char in enumerate(text) if char in _DIGITS]
    if not places:
        raise _unreadable("has no digits 0-9")
    begin, end = places[0], places[-1] + 1
    if text[begin - 1 : begin] == "-":
        begin -= 1
    units = [unit for unit in (text[:begin].strip(_SPACES), text[end:].strip(_SPACES)) if unit]
    if len(units) != 1:
        raise _unreadable("names more than a currency" if units else "names no currency")
    unit = units[0]
    if "$" in unit or "¥" in unit:
        remedy = "write the ISO 4217 code instead, e.g. USD, CAD or JPY"
        raise InvalidInput.single("currency", "is a sign that several currencies share", remedy)
    return text[begin:end], _SYMBOLS.get(unit) or current_code(unit)


def _plain(number: str, code: str) -> str:
    """`number` without thousands marks and with a decimal point; refused when it has two readings."""
    body = number.removeprefix("-")
    sign = number[: len(number) - len(body)]
    marks = [char for char in body if char not in _DIGITS]
    group, decimal = "", ""
    match list(dict.fromkeys(marks)):
        case []:
            pass
        case [first, second]:
            group, decimal = first, second
        case [mark] if mark in _GROUP_MARKS or len(marks) > 1:
            group = mark
        case [mark]:
            head, _, tail = body.partition(mark)
            if len(tail) == 3 and len(head) <= 3 and not head.startswith("0"):
                raise _two_readings(sign, head, tail, code)
            decimal = mark
        case _:
            raise _unreadable("mixes several thousands marks")
    whole, _, fraction = body.partition(decimal) if decimal else (body, "", "")
    groups = whole.split(group) if group else [whole]
    well_grouped = not group or (
        len(groups[0]) <= 3 and groups[0][:1] != "0" and {len(g) for g in groups[1:]} == {3}
    )
    well_marked = group in ("", ".", ",", *_GROUP_MARKS) and decimal in ("", ".", ",")
    if not (well_grouped and well_marked and all(map(_is_digits, [*groups, fraction or "0"]))):
        raise _unreadable("is not a number with groups of three digits and one decimal mark")
    return f"{sign}{''.join(groups)}.{fraction}" if fraction else sign + "".join(groups)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _ratio(value: object, path: str) -> tuple[int, int]:
    """An exact number as numerator and denominator; bounded, so that 1E+9999999 fills no memory."""
    if type(value) is int:
        return value, 1
    from decimal import Decimal

    if not isinstance(value, Decimal):
        remedy = 'give an int or a Decimal made from a string: Decimal("5.5")'
        raise InvalidInput.single(path, f"is {type(value).__name__}", remedy)
    if not value.is_finite() or abs(value.adjusted()) > 30 or len(value.as_tuple().digits) > _LONGEST_TEXT:
        raise InvalidInput.single(path, "is not a finite number of usual size", "check where it comes from")
    return value.as_integer_ratio()


def _half_up(over: int, under: int) -> int:
    whole, rest = divmod(abs(over), under)
    rounded = whole + (2 * rest >= under)
    return -rounded if over < 0 else rounded


def _unreadable(fault: str) -> InvalidInput:
    return InvalidInput.single("amount", fault, 'write it like "49.90 EUR"')


def _too_fine(code: str) -> InvalidInput:
    exponent = iso_exponent(code)
    fault = f"has more decimals than {code}, which has {exponent}"
    return InvalidInput.single("amount", fault, f"round it to {exponent} decimals; nothing is rounded here")


def _two_readings(sign: str, head: str, tail: str, code: str) -> InvalidInput:
    thousands, decimals = f"{sign}{head}{tail} {code}", f"{sign}{head}.{tail} {code}"
    exponent = iso_exponent(code)
    other = (
        f'"{sign}0{head}.{tail} {code}" for decimals' if exponent >= 3 else f"{code} has {exponent} decimals"
    )
    fault = f"can be read as {thousands} (thousands) or as {decimals} (decimals)"
    return InvalidInput.single("amount", fault, f'write "{thousands}" for thousands; {other}')

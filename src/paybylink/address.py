"""
A postal address, as invoices and some payment methods need it.
"""

from __future__ import annotations

from attrs import field, frozen

from .checks import check_text
from .errors import Faults


@frozen(kw_only=True)
class Address:
    """
    Where somebody lives or works.

    Attributes:
        street: with the number, unless `house_number` has it.
        city: the town.
        postal_code: as written on letters.
        country: ISO 3166 alpha-2, upper case.
        house_number: apart from the street, which some providers ask for; empty where `street` has it.
        extra: a second line, such as a floor or a care-of; empty without one.
        region: the state or province, where a country has them; empty elsewhere.
    """

    street: str = field(repr=False)
    city: str = field(repr=False)
    postal_code: str = field(repr=False)
    country: str
    house_number: str = field(default="", repr=False)
    extra: str = field(default="", repr=False)
    region: str = field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        faults = Faults()
        for name, limit, required in (
            ("street", 200, True),
            ("city", 100, True),
            ("postal_code", 10, True),
            ("house_number", 20, False),
            ("extra", 100, False),
            ("region", 50, False),
        ):
            check_text(faults, name, getattr(self, name), limit=limit, required=required)
        check_country(faults, "country", self.country)
        faults.raise_any()

    @property
    def street_and_number(self) -> str:
        """The street and the number on one line."""
        return f"{self.street} {self.house_number}".strip()


def check_country(faults: Faults, path: str, given: object) -> None:
    """Add a fault when `given` is not the code of a country."""
    if not (
        isinstance(given, str) and len(given) == 2 and given.isascii() and given.isalpha() and given.isupper()
    ):
        faults.add(path, "is not an ISO 3166 alpha-2 code", "write two capital letters such as FR")

"""
Products, prices and the line items made of them.

Every inline ``price_data`` adds a product and a price to the catalogue, as it does at Stripe. Only one-off prices
are simulated; a recurring one would need subscriptions.
Source: Stripe API reference, "Products", "Prices"; "Create a payment link", `line_items`.
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.engine import Condition, Document, Engine, shown
from paybylink.sandbox.stripe.amounts import check_currency, check_total
from paybylink.sandbox.stripe.call import Call
from paybylink.sandbox.stripe.lists import PAGING, page
from paybylink.sandbox.stripe.parameters import Field, Flag, Labels, Many, Record, Text, Unsimulated, Whole
from paybylink.sandbox.stripe.wire import Problem, missing

_PRODUCT: Mapping[str, Field] = {
    "name": Text(5000),
    "description": Text(40000),
    "images": Many(Text(), maximum=8),
    "metadata": Labels(),
    "tax_code": Text(),
    "unit_label": Text(12),
    "statement_descriptor": Text(22),
}
_INLINE_PRODUCT = Record({**_PRODUCT, "tax_details": Unsimulated()}, required=("name",))
_PRODUCT_CREATE = Record(
    {
        **_PRODUCT,
        "id": Text(),
        "active": Flag(),
        "shippable": Flag(),
        "url": Text(),
        "default_price_data": Unsimulated(),
    },
    required=("name",),
)
_PRICE: Mapping[str, Field] = {
    "currency": Text(20),
    "unit_amount": Whole(0),
    "unit_amount_decimal": Text(30, pattern="[0-9]{1,15}"),
    "product": Text(),
    "product_data": _INLINE_PRODUCT,
    "tax_behavior": Text(choices=("exclusive", "inclusive", "unspecified")),
    "recurring": Unsimulated(),
}
_CUSTOM_AMOUNT = Record(
    {"enabled": Flag(), "maximum": Whole(1), "minimum": Whole(0), "preset": Whole(0)}, required=("enabled",)
)
_PRICE_CREATE = Record(
    {
        **_PRICE,
        "active": Flag(),
        "billing_scheme": Text(choices=("per_unit",)),
        "custom_unit_amount": _CUSTOM_AMOUNT,
        "lookup_key": Text(200),
        "metadata": Labels(),
        "nickname": Text(),
    },
    required=("currency",),
)
_ADJUSTABLE = Record(
    {"enabled": Flag(), "maximum": Whole(0, 999_999), "minimum": Whole(0, 999_999)}, ("enabled",)
)
#: What one line of a payment link or a session may say.
LINE = Record(
    {
        "price": Text(),
        "price_data": Record(_PRICE, required=("currency",)),
        "quantity": Whole(1, 999_999),
        "adjustable_quantity": _ADJUSTABLE,
        "tax_rates": Unsimulated(),
        "dynamic_tax_rates": Unsimulated(),
        "metadata": Labels(),
    }
)


def create_product(call: Call) -> Document:
    """POST /v1/products."""
    return _new_product(call.engine, call.values(_PRODUCT_CREATE))


def fetch_product(call: Call) -> Document:
    """GET /v1/products/{id}."""
    _ = call.values(Record({}))
    return call.subject("product", "id")


def create_price(call: Call) -> Document:
    """POST /v1/prices: a fixed amount, or one that the payer chooses."""
    values = call.values(_PRICE_CREATE)
    custom = (values.get("custom_unit_amount") or {}).get("enabled", False)
    if custom and (values.get("unit_amount") is not None or values.get("unit_amount_decimal") is not None):
        raise Problem("You may only specify one of these parameters: unit_amount, custom_unit_amount.")
    return _new_price(call.engine, values, at="", custom=bool(custom))


def fetch_price(call: Call) -> Document:
    """GET /v1/prices/{price}."""
    _ = call.values(Record({}))
    return call.subject("price", "price")


def list_prices(call: Call) -> Document:
    """GET /v1/prices."""
    values = call.values(Record({**PAGING, "active": Flag(), "currency": Text(), "product": Text()}))
    names = ("active", "currency", "product")
    tests: list[Condition] = [(name, "=", values[name]) for name in names if values.get(name) is not None]
    return page(call.engine, "price", values, *tests, url="/v1/prices")


def _new_product(engine: Engine, values: Document) -> Document:
    now = engine.timestamp()
    return engine.put(
        "product",
        {
            "id": values.get("id") or engine.new_id("prod_", 14),
            "object": "product",
            "active": values.get("active", True),
            "created": now,
            "default_price": None,
            "description": values.get("description"),
            "images": values.get("images") or [],
            "livemode": False,
            "marketing_features": [],
            "metadata": values.get("metadata") or {},
            "name": values["name"],
            "package_dimensions": None,
            "shippable": values.get("shippable"),
            "statement_descriptor": values.get("statement_descriptor"),
            "tax_code": values.get("tax_code"),
            "unit_label": values.get("unit_label"),
            "updated": now,
            "url": values.get("url"),
        },
    )


def _new_price(engine: Engine, values: Document, *, at: str, custom: bool) -> Document:
    def param(name: str) -> str:
        return f"{at}[{name}]" if at else name

    currency = values["currency"].lower()
    check_currency(currency, param=param("currency"))
    unit_amount = values.get("unit_amount")
    if unit_amount is None and values.get("unit_amount_decimal") is not None:
        unit_amount = int(values["unit_amount_decimal"])
    if unit_amount is None and not custom:
        raise Problem(
            f"Missing required param: {param('unit_amount')}.",
            code="parameter_missing",
            param=param("unit_amount"),
        )
    if (values.get("product") is None) == (values.get("product_data") is None):
        raise Problem(
            f"You must specify either {param('product')} or {param('product_data')}.",
            code="parameter_missing",
            param=param("product"),
        )
    if values.get("product") is not None:
        product = engine.get("product", values["product"])
        if product is None:
            raise missing("product", values["product"], param=param("product"), status=400)
    else:
        product = _new_product(engine, values["product_data"])
    chosen = values.get("custom_unit_amount") or {}
    return engine.put(
        "price",
        {
            "id": engine.new_id("price_1"),
            "object": "price",
            "active": values.get("active", True),
            "billing_scheme": "per_unit",
            "created": engine.timestamp(),
            "currency": currency,
            "custom_unit_amount": {name: chosen.get(name) for name in ("maximum", "minimum", "preset")}
            if custom
            else None,
            "livemode": False,
            "lookup_key": values.get("lookup_key"),
            "metadata": values.get("metadata") or {},
            "nickname": values.get("nickname"),
            "product": product["id"],
            "recurring": None,
            "tax_behavior": values.get("tax_behavior") or "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": unit_amount,
            "unit_amount_decimal": None if unit_amount is None else str(unit_amount),
        },
    )


def line_items(engine: Engine, lines: list[Document]) -> list[Document]:
    """
    The line items of a link or session, with their prices.

    Raises:
        Problem: no line, a price that is not there, several currencies, a payer-chosen amount beside other lines,
            or a total that cannot be charged.
    """
    if not lines:
        raise Problem("Missing required param: line_items.", code="parameter_missing", param="line_items")
    items = []
    for place, line in enumerate(lines):
        at = f"line_items[{place}]"
        if (line.get("price") is None) == (line.get("price_data") is None):
            raise Problem(
                f"You must provide exactly one of {at}[price] and {at}[price_data].",
                code="parameter_missing",
                param=f"{at}[price]",
            )
        if line.get("quantity") is None:
            raise Problem(
                f"Missing required param: {at}[quantity].", code="parameter_missing", param=f"{at}[quantity]"
            )
        price = _price_of(engine, line, at)
        items.append(_item(engine, price, line["quantity"], amount=None, extra=line))
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise Problem("All prices on a payment must have the same currency.", param="line_items")
    if any(item["price"]["custom_unit_amount"] for item in items):
        if len(items) > 1 or items[0]["quantity"] != 1:
            raise Problem(
                "A price with custom_unit_amount must be the only line item, with a quantity of 1.",
                param="line_items",
            )
    else:
        check_total(sum(item["amount_total"] for item in items), currencies.pop(), param="line_items")
    return items


def copied(engine: Engine, items: list[Document], *, chosen: int | None) -> list[Document]:
    """The line items of a link, made again for one session; `chosen` is the amount that the payer typed."""
    return [_item(engine, item["price"], item["quantity"], amount=chosen, extra=item) for item in items]


def _price_of(engine: Engine, line: Document, at: str) -> Document:
    if line.get("price") is None:
        return _new_price(engine, line["price_data"], at=f"{at}[price_data]", custom=False)
    price = engine.get("price", line["price"])
    if price is None:
        raise missing("price", line["price"], param=f"{at}[price]", status=400)
    if not price["active"]:
        raise Problem(f"The price specified is inactive: {price['id']}", param=f"{at}[price]")
    return price


def _item(engine: Engine, price: Document, quantity: int, *, amount: int | None, extra: Document) -> Document:
    product = engine.get("product", price["product"]) or {}
    total = (price["unit_amount"] or 0) * quantity if amount is None else amount
    adjustable = extra.get("adjustable_quantity")
    return {
        "id": engine.new_id("li_1"),
        "object": "item",
        "adjustable_quantity": adjustable and {"enabled": False, "maximum": 99, "minimum": 0, **adjustable},
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": product.get("name"),
        "metadata": extra.get("metadata") or {},
        "price": shown(price),
        "quantity": quantity,
    }

"""
A reader who types the blocks of a page one after the other, against the sandbox.

Each statement runs by itself. What a block takes for granted (an order, a payment that came, a web framework's
request) is given when it is first named, so a page may begin in the middle of an application.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from attrs import define, evolve, field
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from paybylink import AsyncPayByLink, Customer, Money, Order, PayByLink, PaymentLink
from paybylink.store import upgrade
from workflows.receiver import Call
from workflows.shops import HMAC_KEY
from workflows.world import World

from .pages import Block

#: Where the store of a page is, in the working folder of its test.
SHOP = "sqlite:///shop.db"


class Base(DeclarativeBase):
    """The tables of a reader's application."""


class Sale(Base):
    """A row of the reader's own."""

    __tablename__ = "sale"
    number: Mapped[str] = mapped_column(primary_key=True)


@define
class Reader:
    """
    One reader of one page.

    Attributes:
        world: the sandbox and where its webhooks arrive.
        awaiting: whether the async side is read.
        names: what the reader has defined so far.
        shipped: the references that a handler was told of.
    """

    world: World
    awaiting: bool
    names: dict[str, Any] = field(factory=lambda: {"__name__": "page"})
    shipped: list[str] = field(factory=list)
    _loop: asyncio.Runner = field(factory=asyncio.Runner)

    def read(self, block: Block) -> None:
        """Run one block, statement by statement."""
        for statement in ast.parse(self._typed(block.text)).body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self.need(node.id)
            code = compile(
                ast.Module([statement], []),
                block.place,
                "exec",
                ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
            self.done(eval(code, self.names))  # noqa: S307 - our own pages

    def done(self, result: Any) -> Any:
        """A result, awaited where it has to be."""
        return self._loop.run(_awaited(result)) if inspect.isawaitable(result) else result

    def need(self, name: str) -> Any:
        """What is called `name`; given now, if the page takes it for granted."""
        if name not in self.names and not hasattr(builtins, name):
            give: Callable[[], Any] | None = getattr(self, f"give_{name.lower()}", None)
            if give is not None:
                self.names[name] = give()
        return self.names.get(name)

    def close(self) -> None:
        """Close what the page has opened."""
        for value in list(self.names.values()):
            if isinstance(value, PayByLink):
                value.close()
            elif isinstance(value, AsyncPayByLink):
                self.done(value.aclose())
        if (engine := self.names.get("engine")) is not None:
            self.done(engine.dispose())
        self._loop.close()

    def _typed(self, text: str) -> str:
        """The block with the sandbox in place of providers and a mail server that nobody has."""
        sandbox = self.world.sandbox
        for shown, meant in (
            ('"sk_test_…"', f'"sk_test_reader", base_url="{sandbox.stripe_url}"'),
            ('"whsec_…"', f'"{self.world.secret}"'),
            (
                '"mail.example", username="…", password="…"',
                f'"{sandbox.smtp_host}", {sandbox.smtp_port}, security="none"',
            ),
            ('"test_…"', f'"test_reader", base_url="{sandbox.mollie_url}"'),
            ('"access_…"', f'"access_reader", base_url="{sandbox.mollie_url}"'),
            ('"AQE…"', f'"AQEreader", base_url="{sandbox.adyen_url}"'),
            ("44782DEF…", HMAC_KEY),
            ("http://127.0.0.1:8025", sandbox.url),
            ("http://127.0.0.1:8080", self.world.receiver.base),
            ("postgresql+psycopg:///shop", SHOP),
            ("…", "reader"),
        ):
            text = text.replace(shown, meant)
        return text

    # What a page may take for granted

    def give_order(self) -> Order:
        customer = Customer(name="Zoé Martin", email="zoe@example.com", language="fr")
        return Order(
            reference="INV-2026-031",
            amount=Money.of("49.90", "EUR"),
            description="Logo design",
            customer=customer,
        )

    def give_changed_order(self) -> Order:
        order: Order = self.need("order")
        return evolve(order, amount=Money.of("59.90", "EUR"))

    def give_pay(self) -> PayByLink | AsyncPayByLink:
        made = self.world.async_pay_by_link if self.awaiting else self.world.pay_by_link
        return made(SHOP)

    def give_link(self) -> PaymentLink:
        link: PaymentLink = self.done(self.need("pay").create_link(self.need("order")))
        return link

    def give_delivery(self) -> Any:
        return self.done(self.need("pay").send(self.need("link"), via="email"))

    def give_payment(self) -> Any:
        _ = self.give_call()
        pay, link = self.need("pay"), self.need("link")
        _ = pay.refresh(link)
        return next(pay.payments(link=link))

    def give_call(self) -> Call:
        """The webhook call that tells of a payment of the link."""
        link = self.need("link")
        self.world.customer_pays(link.url, link.order.reference)
        return next(call for call in self.world.told(0) if b"checkout.session.completed" in call.body)

    def give_headers(self) -> dict[str, str]:
        return self.give_call().headers

    def give_raw(self) -> bytes:
        return self.give_call().body

    def give_response(self) -> Any:
        """A framework's answer, as far as the page uses it."""
        return lambda body, *, status: SimpleNamespace(body=body, status=status)

    def give_shop(self) -> Any:
        def mark_paid(reference: str, amount: Money) -> None:
            assert amount.minor > 0
            self.shipped.append(reference)

        return SimpleNamespace(mark_paid=mark_paid)

    def give_engine(self) -> Any:
        upgrade(SHOP)
        plain = create_engine(SHOP)
        Base.metadata.create_all(plain)
        if not self.awaiting:
            return plain
        plain.dispose()
        return create_async_engine(SHOP.replace("sqlite", "sqlite+aiosqlite"))

    def give_sale(self) -> Sale:
        return Sale(number="S-1")


async def _awaited(result: Any) -> Any:
    return await result

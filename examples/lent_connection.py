"""
A link that exists if, and only if, the host's own row does: one transaction for both.

It runs against the sandbox on this machine, on a database that your application and paybylink share.
"""

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from paybylink import Money, Order, PayByLink
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox
from paybylink.store import upgrade

STORE = "sqlite:///shop.db"


def main() -> None:
    upgrade(STORE)
    engine = create_engine(STORE)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS sale (number TEXT PRIMARY KEY)"))

    with (
        Sandbox() as sandbox,
        PayByLink(
            providers=[StripeProvider(api_key="sk_test_lent", base_url=sandbox.stripe_url)],
            store=STORE,
            public_url="https://pay.atelier.example",
        ) as pay,
    ):
        # Rolled back: no sale, no link, and the provider was never asked.
        with Session(engine) as session:
            session.execute(text("INSERT INTO sale VALUES ('S-1')"))
            pay.using(session).create_link(Order(reference="S-1", amount=Money.of("12.00", "EUR")))
            session.rollback()
        print(f"after the rollback: {pay.link('S-1')}, {len(sandbox.control.links())} links at the provider")

        # Committed: both are there, and the link is made once the host has committed.
        with Session(engine) as session, session.begin():
            session.execute(text("INSERT INTO sale VALUES ('S-2')"))
            pending = pay.using(session).create_link(Order(reference="S-2", amount=Money.of("12.00", "EUR")))
            print(f"before the commit: {pending.status}, its address is known already: {bool(pending.url)}")
        pay.run_due(only=pending)
        link = pay.link("S-2")
        assert link is not None
        print(f"after the commit: {link.status}, {len(sandbox.control.links())} link at the provider")
    engine.dispose()


if __name__ == "__main__":
    main()

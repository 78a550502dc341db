"""
From an order to money that came, in one script: make a link, mail it, pay it, refund a part, read the books.

It runs against the sandbox on this machine. For real money leave the sandbox out and give your own key and server.
"""

from datetime import timedelta

from paybylink import Customer, Money, Order, PayByLink, SingleUse
from paybylink.channels.smtp import SmtpEmail
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox


def main() -> None:
    with (
        Sandbox() as sandbox,
        PayByLink(
            providers=[StripeProvider(api_key="sk_test_quickstart", base_url=sandbox.stripe_url)],
            channels=[
                SmtpEmail(
                    sandbox.smtp_host,
                    sandbox.smtp_port,
                    sender="Atelier <pay@atelier.example>",
                    security="none",
                )
            ],
            store="sqlite:///quickstart.db",
        ) as pay,
    ):
        order = Order(
            reference="INV-2026-031",
            amount=Money.of("49.90", "EUR"),
            description="Logo design",
            customer=Customer(name="Zoé Martin", email="zoe@example.com", language="fr"),
        )
        link = pay.create_link(order, kind=SingleUse(), expires_in=timedelta(days=7))
        delivery = pay.send(link, via="email")
        print(f"{link.status}: {delivery.outcome} by the mail server")

        # What the customer does; in real life a webhook tells of it.
        sandbox.control.pay(link.url)
        link = pay.refresh(link)
        print(f"{link.status}: {link.paid_amount}")

        (payment,) = pay.payments(link=link)
        refund = pay.refund(payment, amount=Money.of("10.00", "EUR"), reference="AV-2026-007")
        print(f"refund {refund.status}: {refund.amount}")

        for account in pay.balance():
            print(f"{account.account:8} {account.debit_minor:6} {account.credit_minor:6} {account.currency}")


if __name__ == "__main__":
    main()

"""
A loopback server in a process of its own that answers as Stripe does, at next to no cost.

It reads one request, and writes a payment link in Stripe's shape that fits it: the metadata, amount and limit of the
request are in the answer, since an answer that does not fit is not believed.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl


def _answer(body: bytes) -> bytes:
    form = dict(parse_qsl(body.decode()))
    metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
    price = "line_items[0][price_data]"
    amount, currency = int(form.get(f"{price}[unit_amount]", 0)), form.get(f"{price}[currency]", "eur")
    limit = form.get("restrictions[completed_sessions][limit]")
    link = {
        "id": f"plink_{uuid.uuid4().hex}",
        "object": "payment_link",
        "active": True,
        "after_completion": {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        "allow_promotion_codes": False,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": "auto",
        "consent_collection": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": "if_required",
        "inactive_message": "This link was paid or is closed. Please ask the merchant for a new one.",
        "invoice_creation": {"enabled": False, "invoice_data": None},
        "line_items": {
            "object": "list",
            "data": [
                {
                    "id": "li_1",
                    "object": "item",
                    "amount_discount": 0,
                    "amount_subtotal": amount,
                    "amount_tax": 0,
                    "amount_total": amount,
                    "currency": currency,
                    "description": "Logo design",
                    "price": {
                        "id": "price_1QbenchBENCHbenchBENCH00",
                        "object": "price",
                        "active": False,
                        "billing_scheme": "per_unit",
                        "created": 1767225600,
                        "currency": currency,
                        "custom_unit_amount": None,
                        "livemode": False,
                        "lookup_key": None,
                        "metadata": {},
                        "nickname": None,
                        "product": "prod_QbenchBENCHbench",
                        "recurring": None,
                        "tax_behavior": "unspecified",
                        "tiers_mode": None,
                        "transform_quantity": None,
                        "type": "one_time",
                        "unit_amount": amount,
                        "unit_amount_decimal": str(amount),
                    },
                    "quantity": 1,
                }
            ],
            "has_more": False,
            "url": "/v1/payment_links/plink_1QbenchBENCHbenchBENCH00/line_items",
        },
        "livemode": False,
        "metadata": metadata,
        "on_behalf_of": None,
        "payment_intent_data": {
            "capture_method": None,
            "description": None,
            "metadata": metadata,
            "setup_future_usage": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "transfer_group": None,
        },
        "payment_method_collection": "always",
        "payment_method_types": None,
        "phone_number_collection": {"enabled": False},
        "restrictions": {"completed_sessions": {"count": 0, "limit": int(limit)}} if limit else None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "submit_type": "auto",
        "subscription_data": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": "https://buy.stripe.com/test_bench",
    }
    # Stripe sends its JSON indented.
    return json.dumps(link, indent=2).encode()


def _serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_talk, args=(connection,), daemon=True).start()


def _talk(connection: socket.socket) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        while True:
            head, found, rest = waiting.partition(b"\r\n\r\n")
            length = 0
            if found:
                for line in head.split(b"\r\n"):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
            if found and len(rest) >= length:
                answer = _answer(rest[:length])
                waiting = rest[length:]
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_bench\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer)
                )
                continue
            received = connection.recv(65536)
            if not received:
                return
            waiting += received


@contextmanager
def running() -> Iterator[str]:
    """The base address of the server, which serves until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        process.terminate()
        process.join()
        listener.close()

"""
Mollie's words for payment methods, where they are not ours.

Source: Mollie's OpenAPI document, `payment-link-method`, `method-id` and `method-response`.
"""

from __future__ import annotations

from typing import Final

from paybylink.providers.methods import MethodNames

METHODS: Final = MethodNames(
    {
        "apple_pay": "applepay",
        "bacs_debit": "bacs",
        "bank_transfer": "banktransfer",
        "card": "creditcard",
        "gift_card": "giftcard",
        "google_pay": "googlepay",
        "mb_way": "mbway",
        "pay_by_bank": "paybybank",
        "sepa_debit": "directdebit",
    },
    # What Klarna was sold as before it became one method; old payments still say so.
    {"klarnapaylater": "klarna", "klarnapaynow": "klarna", "klarnasliceit": "klarna"},
)

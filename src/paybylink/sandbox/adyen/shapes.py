"""
What each request of the Checkout API may hold, as far as the sandbox acts it out.

Limits are the narrower of the two that Adyen gives: those of the schema and those that v72 checks on the server.
Source: Adyen's OpenAPI document of Checkout v72; docs.adyen.com, "Upgrade to Checkout API v72".
"""

from __future__ import annotations

from collections.abc import Mapping

from paybylink.sandbox.adyen.parameters import (
    Day,
    Field,
    Flag,
    Labels,
    Many,
    Moment,
    Money,
    Record,
    Text,
    Unsimulated,
    Untouched,
    Whole,
)

_METHODS = Many(Text())
_EMAIL = Text(256, pattern=r"[^@\s]+@[^@\s.][^@\s]*")
_REFERENCE = Text(80)
_REQUIRED = ("billingAddress", "deliveryAddress", "shopperEmail", "shopperName", "telephoneNumber")

_ADDRESS = Record(
    {
        "city": Text(3000),
        "country": Text(2, 2, pattern="[A-Z]{2}"),
        "houseNumberOrName": Text(3000),
        "postalCode": Text(10),
        "stateOrProvince": Text(),
        "street": Text(3000),
    },
    required=("city", "country", "houseNumberOrName", "postalCode", "street"),
    name="Address",
)
_NAME = Record({"firstName": Text(80), "lastName": Text(80)}, required=("firstName", "lastName"), name="Name")
_LINE = Record(
    {
        **dict.fromkeys(
            (
                "brand",
                "color",
                "id",
                "imageUrl",
                "itemCategory",
                "manufacturer",
                "marketplaceSellerId",
                "productUrl",
                "receiverEmail",
                "size",
                "sku",
                "upc",
            ),
            Text(),
        ),
        **dict.fromkeys(
            ("amountExcludingTax", "amountIncludingTax", "quantity", "taxAmount", "taxPercentage"), Whole()
        ),
        "description": Text(10_000),
    },
    name="LineItem",
)
_PLATFORMS: Mapping[str, Field] = {"platformChargebackLogic": Unsimulated(), "splits": Many(Unsimulated())}

#: `PaymentLinkRequest`.
LINK = Record(
    {
        **_PLATFORMS,
        "allowedPaymentMethods": _METHODS,
        "amount": Money(),
        "applicationInfo": Untouched(),
        "billingAddress": _ADDRESS,
        "blockedPaymentMethods": _METHODS,
        "captureDelayHours": Whole(0, 672),
        "countryCode": Text(2, 2, pattern="[A-Z]{2}"),
        "dateOfBirth": Day(),
        "deliverAt": Moment(),
        "deliveryAddress": _ADDRESS,
        "description": Text(280),
        "expiresAt": Moment(),
        "fundOrigin": Unsimulated(),
        "fundRecipient": Unsimulated(),
        "installmentOptions": Unsimulated(),
        "lineItems": Many(_LINE),
        "manualCapture": Flag(),
        "mcc": Text(16),
        "merchantAccount": Text(),
        "merchantOrderReference": Text(1000),
        "metadata": Labels(),
        "recurringProcessingModel": Text(choices=("CardOnFile", "Subscription", "UnscheduledCardOnFile")),
        "reference": _REFERENCE,
        "requiredShopperFields": Many(Text(choices=_REQUIRED)),
        "returnUrl": Text(1024, pattern=r"[A-Za-z][A-Za-z0-9+.-]*://[\x21-\x7e]+"),
        "reusable": Flag(),
        "riskData": Unsimulated(),
        "shopperEmail": _EMAIL,
        "shopperLocale": Text(32, pattern="[a-z]{2,3}([-_][A-Z]{2})?"),
        "shopperName": _NAME,
        "shopperReference": Text(256, 3),
        "shopperStatement": Text(10_000),
        "showRemovePaymentMethodButton": Flag(),
        "socialSecurityNumber": Text(32),
        "splitCardFundingSources": Unsimulated(),
        "store": Text(),
        "storePaymentMethodMode": Text(choices=("askForConsent", "disabled", "enabled")),
        # A number in another form is taken, and not used.
        "telephoneNumber": Text(32),
        "themeId": Text(),
        "threeDS2RequestData": Unsimulated(),
    },
    required=("amount", "merchantAccount", "reference"),
    name="PaymentLinkRequest",
)

#: `UpdatePaymentLinkRequest`.
LINK_UPDATE = Record(
    {"status": Text(choices=("expired",))}, required=("status",), name="UpdatePaymentLinkRequest"
)

_CHANGE: Mapping[str, Field] = {
    "applicationInfo": Untouched(),
    "merchantAccount": Text(),
    "reference": _REFERENCE,
}
_PARTIAL: Mapping[str, Field] = {
    **_CHANGE,
    **_PLATFORMS,
    "amount": Money(),
    "enhancedSchemeData": Unsimulated(),
    "lineItems": Many(_LINE),
}
_REASONS = ("FRAUD", "CUSTOMER REQUEST", "RETURN", "DUPLICATE", "OTHER")

#: What each change of a payment may hold, by the end of its path.
CHANGES: Mapping[str, Record] = {
    "captures": Record(
        {**_PARTIAL, "subMerchants": Many(Unsimulated())},
        required=("amount", "merchantAccount"),
        name="PaymentCaptureRequest",
    ),
    "cancels": Record(_CHANGE, required=("merchantAccount",), name="PaymentCancelRequest"),
    "refunds": Record(
        {
            **{name: field for name, field in _PARTIAL.items() if name != "platformChargebackLogic"},
            "capturePspReference": Text(),
            "merchantRefundReason": Text(choices=_REASONS),
            "store": Text(),
        },
        required=("amount", "merchantAccount"),
        name="PaymentRefundRequest",
    ),
    "reversals": Record(_CHANGE, required=("merchantAccount",), name="PaymentReversalRequest"),
}

#: `PaymentMethodsRequest`.
METHODS = Record(
    {
        "additionalData": Untouched(),
        "allowedPaymentMethods": _METHODS,
        "amount": Money(),
        "blockedPaymentMethods": _METHODS,
        "browserInfo": Untouched(),
        "channel": Text(choices=("iOS", "Android", "Web")),
        "countryCode": Text(2, 2, pattern="[A-Z]{2}"),
        "merchantAccount": Text(),
        "order": Unsimulated(),
        "shopperConversionId": Text(256),
        "shopperEmail": Text(),
        "shopperIP": Text(),
        "shopperLocale": Text(),
        "shopperReference": Text(),
        "splitCardFundingSources": Flag(),
        "store": Text(16, 1),
        "storeFiltrationMode": Text(choices=("exclusive", "inclusive", "skipFilter")),
        "telephoneNumber": Text(),
    },
    required=("merchantAccount",),
    name="PaymentMethodsRequest",
)

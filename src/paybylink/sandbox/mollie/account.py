"""
The account: the organisation behind every token and the profile behind every key. There is one of each.

Source: Mollie's OpenAPI document, "Organizations API" and "Profiles API".
"""

from __future__ import annotations

from paybylink.sandbox.engine import Document
from paybylink.sandbox.mollie.call import ORGANISATION, PROFILE, PROFILE_CREATED, Call
from paybylink.sandbox.mollie.parameters import Record
from paybylink.sandbox.mollie.wire import documentation, hal, text


def organisation(call: Call) -> Document:
    """GET /v2/organizations/me; for tokens only."""
    _ = call.queried(Record({}))
    base = call.engine.base_url
    return {
        "resource": "organization",
        "id": ORGANISATION,
        "name": "Sandbox",
        "email": "sandbox@example.com",
        "locale": "fr_FR",
        "address": {
            "streetAndNumber": "1 rue du Bac",
            "postalCode": "75007",
            "city": "Paris",
            "country": "FR",
        },
        "registrationNumber": "123456789",
        "vatNumber": None,
        "vatRegulation": "shifted",
        "_links": {
            "self": hal(base, "/v2/organizations/me"),
            "dashboard": text(f"{base}/"),
            "documentation": documentation("get-current-organization"),
        },
    }


def profile(call: Call) -> Document:
    """GET /v2/profiles/me; for keys only."""
    _ = call.queried(Record({}))
    base = call.engine.base_url
    return {
        "resource": "profile",
        "id": PROFILE,
        "mode": "test",
        "name": "Sandbox",
        "website": "https://shop.example",
        "email": "sandbox@example.com",
        "phone": "+33123456789",
        "businessCategory": "OTHER_MERCHANDISE",
        "status": "verified",
        "createdAt": PROFILE_CREATED,
        "_links": {
            "self": hal(base, f"/v2/profiles/{PROFILE}"),
            "dashboard": text(f"{base}/"),
            "payments": hal(base, "/v2/payments"),
            "methods": hal(base, "/v2/methods"),
            "documentation": documentation("get-current-profile"),
        },
    }

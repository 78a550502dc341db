"""
The vendors of the sandbox. This list is the only place in the frame that knows who they are.
"""

from __future__ import annotations

from paybylink.sandbox.adyen.vendor import AdyenVendor
from paybylink.sandbox.mollie.vendor import MollieVendor
from paybylink.sandbox.stripe.vendor import StripeVendor
from paybylink.sandbox.vendor import Vendor

#: In the order in which they are asked and shown.
VENDORS: tuple[Vendor, ...] = (StripeVendor(), AdyenVendor(), MollieVendor())

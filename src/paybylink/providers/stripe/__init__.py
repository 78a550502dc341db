"""
Stripe: payment links, their payments, refunds and webhooks.

The rest of this folder is private. The SDK (``pip install "paybylink[stripe]"``) is imported on first use only.
"""

from ._provider import StripeProvider

__all__ = ["StripeProvider"]

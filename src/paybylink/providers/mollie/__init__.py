"""
Mollie: payment links, sales invoices, their payments, refunds, chargebacks, balances and webhooks.

The rest of this folder is private. The SDK (``pip install "paybylink[mollie]"``) is imported on first use only.
"""

from ._provider import MollieProvider

__all__ = ["MollieProvider"]

"""
Adyen: payment links, their payments, refunds, webhooks and settlement reports.

The rest of this folder is private. The SDK (``pip install "paybylink[adyen]"``) is imported on first use only.
"""

from ._provider import AdyenProvider
from ._settlement import read_settlement

__all__ = ["AdyenProvider", "read_settlement"]

"""
Settings: ``PAYBYLINK_…`` variables and ``paybylink.toml``, read into one checked model.

A variable wins over the file. ``__`` steps into a table or a list: ``PAYBYLINK_PROVIDERS__0__API_KEY``. For scripts
there is a short form, ``PAYBYLINK_<TYPE>_<SETTING>``, e.g. ``PAYBYLINK_STRIPE_API_KEY`` or ``PAYBYLINK_SMTP_HOST``:
it speaks of the one adapter of that type, and adds it if the file names none.

Providers, channels and exports are found by their type through entry points (`paybylink.providers`,
`paybylink.channels`, `paybylink.exports`), ours like a host's own. What an adapter takes is read from its own
signature, so that a new one brings its settings along.

No fault repeats a value: a wrong setting may still be a secret.
"""

from .adapters import PREFIX, adapter
from .layers import FILE_NAME, load
from .model import DEFAULT_STORE, AdapterSettings, MerchantSettings, Settings

__all__ = [
    "adapter",
    "AdapterSettings",
    "DEFAULT_STORE",
    "FILE_NAME",
    "load",
    "MerchantSettings",
    "PREFIX",
    "Settings",
]

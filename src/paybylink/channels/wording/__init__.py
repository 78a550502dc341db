"""
What messages say: the same facts in the customer's language, as a mail or as a text to share.

`Wording` holds what is the merchant's own: the name, the contact, the time zone, the default language, and a folder
that may change any string (``fr.toml``) and any layout (``email.html.j2``, or ``fr/reminder.html.j2`` for one
purpose in one language). Everything that comes from outside is escaped in HTML, and the link's URL is inserted byte
for byte.
"""

from ._catalogue import LANGUAGES
from ._mail import ASKING, MailText
from ._share import ShareText
from ._wording import Wording
from ._words import safe_url

__all__ = ["ASKING", "LANGUAGES", "MailText", "safe_url", "ShareText", "Wording"]

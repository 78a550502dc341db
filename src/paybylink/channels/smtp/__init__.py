"""Mails over SMTP: `SmtpEmail`, the channel, and `Wording`, what its mails say."""

from paybylink.channels.wording import Wording

from ._channel import SmtpEmail

__all__ = ["SmtpEmail", "Wording"]

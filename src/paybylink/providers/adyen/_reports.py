"""
Adyen's settlement reports, downloaded with a user of their own.

Adyen makes one settlement details report for each batch that it pays out, numbered from 1 on for each merchant
account, and keeps it at an address that follows from the number. So a poll asks for one batch after the other until
there is none.

Rule: the password goes to Adyen's report host of the account's platform, over https, or to a sandbox on this machine.

Source: docs.adyen.com, "Settlement details report", "Get reports automatically".
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from attrs import field, frozen

from paybylink.errors import InvalidInput, ProviderError
from paybylink.flow import Call, Retry, Sending
from paybylink.links import Mode
from paybylink.providers.accounts import leads_to
from paybylink.providers.base import BalancePage
from paybylink.providers.codes import refusal_of

from ._settlement import read_settlement
from ._webhook import basic

if TYPE_CHECKING:
    import httpx

    from ._provider import AdyenProvider

HOSTS: Final = {Mode.TEST: "ca-test.adyen.com", Mode.LIVE: "ca-live.adyen.com"}
_FOLDER: Final = "/reports/download/"
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_REFUSED: Final = {401: "unauthorised", 403: "forbidden", 404: "not_found", 429: "rate_limited"}


@frozen(kw_only=True)
class Reports:
    """
    The reports of one merchant account.

    Attributes:
        who: the provider's name.
        account: the merchant account.
        mode: of the platform.
        sandbox: the address of a sandbox on this machine; None for Adyen.
        authorization: user and password, in base64.
        first_batch: the first one that is asked for.
    """

    who: str
    account: str
    mode: Mode
    sandbox: str | None
    authorization: bytes = field(repr=False)
    first_batch: int

    def page(self, *, since: dt.datetime, until: dt.datetime, after: str) -> Call[BalancePage]:
        """
        What one batch says of the time from `since` on and before `until`.

        Args:
            after: the number of the batch; empty for the first.
        """
        number = self._number(after)
        try:
            report = yield from self.download(self._address(number))
        except ProviderError as error:
            if error.standard_code != "not_found":
                raise
            # It has not been paid out yet: the next poll asks again.
            return BalancePage(items=())
        items = tuple(item for item in read_settlement(report, provider=self.who) if since <= item.at < until)
        return BalancePage(items=items, after=str(number + 1))

    def download(self, url: str) -> Call[bytes]:
        """
        The bytes of a report.

        Raises:
            InvalidInput: the address is none of Adyen's reports.
            ProviderError: it is not there, or the user may not read it.
        """
        import httpx

        if not self._is_report(url):
            raise InvalidInput.single(
                "url", "is none of Adyen's reports", f"use one on {HOSTS[self.mode]}, as the webhook told it"
            )
        response = yield httpx.Request(
            "GET",
            url,
            headers={
                "Authorization": f"Basic {self.authorization.decode('ascii')}",
                "Accept": "text/csv",
                "Accept-Encoding": "gzip, deflate",
            },
            extensions={"paybylink": Sending(who=self.who, retry=Retry.SAFE, retry_statuses=_AGAIN)},
        )
        if response.status_code != 200:
            raise self._refused(response)
        return response.content

    def _number(self, after: str) -> int:
        if not after:
            return self.first_batch
        if not (after.isascii() and after.isdigit() and len(after) <= 9):
            raise InvalidInput.single("after", "is no batch number", "give back what the page before said")
        return int(after)

    def _address(self, number: int) -> str:
        base = self.sandbox or f"https://{HOSTS[self.mode]}"
        return f"{base}{_FOLDER}MerchantAccount/{self.account}/settlement_detail_report_batch_{number}.csv"

    def _is_report(self, url: str) -> bool:
        if not isinstance(url, str):
            return False
        if self.sandbox is not None:
            # A sandbox's password is nobody's, and still goes to no other server on this machine.
            return url.startswith(f"{self.sandbox}{_FOLDER}") and leads_to(url, (), loopback=True)
        return leads_to(url, {HOSTS[self.mode]}, loopback=False) and urlsplit(url).path.startswith(_FOLDER)

    def _refused(self, response: httpx.Response) -> ProviderError:
        status = response.status_code
        standard = _REFUSED.get(status)
        if standard is None:
            standard = "unavailable" if status >= 500 else "refused" if status >= 400 else "unexpected_answer"
        return refusal_of(
            standard,
            who=self.who,
            told="the report user was not accepted; copy report_user and report_password again from the Customer "
            "Area (Developers, API credentials)"
            if standard == "unauthorised"
            else "",
            status=status,
        )


def reports_of(account: AdyenProvider, mode: Mode) -> Reports | None:
    """The reports of an account, by its settings; None where there is no user for them."""
    authorization = basic(account.report_user, account.report_password)
    if authorization is None:
        return None
    return Reports(
        who=account.name,
        account=account.merchant_account,
        mode=mode,
        # The settings take no other address than this machine's.
        sandbox=account.base_url,
        authorization=authorization,
        first_batch=account.report_first_batch,
    )

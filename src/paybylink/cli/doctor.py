"""
``paybylink doctor``: is each configured part there, reachable and in order? It changes nothing and shows no secret.
"""

from __future__ import annotations

import datetime as dt
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer
from attrs import frozen
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.text import Text

from paybylink.errors import InvalidInput, NotSent, PaybylinkError, RefusedByThem
from paybylink.flow import MailServer

from . import show
from .exits import Exit, report
from .session import JsonOption, session_of

if TYPE_CHECKING:
    import httpx

    from paybylink.channels.base import Channel
    from paybylink.flow import Call
    from paybylink.providers.base import Provider, VendorLink
    from paybylink.settings import Settings

#: Without a pass for so long, links do not expire in time and nobody is reminded.
PASS_OVERDUE = dt.timedelta(minutes=15)
#: Webhooks are believed within five minutes; a clock should be much better than that.
CLOCK_TOLERANCE = dt.timedelta(seconds=60)
_SECONDS = 10.0
#: Ids that no link has, in the forms that providers give theirs.
_NOWHERE = ("plink_doctor", "pl_doctor", "PLDOCTOR", "doctor")


class State(StrEnum):
    """What a check found."""

    OK = "ok"  #: in order
    WARNING = "warning"  #: works, and something should be done
    FAULT = "fault"  #: does not work
    SKIPPED = "skipped"  #: not set, or cannot be checked from here


@frozen
class Check:
    """
    One check.

    Attributes:
        part: what was looked at.
        state: what was found.
        detail: in a sentence, without secrets.
        remedy: what to do; empty when nothing.
    """

    part: str
    state: State
    detail: str
    remedy: str = ""


def doctor(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """
    Check each configured part: settings, store, providers, channels, passes and the clock.

    Ends with 0 when all is well or only warned of, and with 9 when something does not work.
    """
    session = session_of(ctx)
    try:
        settings = session.settings()
        parts = settings.parts()
    except PaybylinkError as error:
        report(error, as_json=as_json)
        raise typer.Exit(Exit.FAULTS) from None
    found: list[Check] = []
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("looking", total=None)
        for check in checks(settings, parts):
            progress.update(task, description=f"looked at {check.part}")
            found.append(check)
    if as_json:
        show.document(
            [{"part": c.part, "state": c.state, "detail": c.detail, "remedy": c.remedy} for c in found]
        )
    else:
        colours = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red", State.SKIPPED: "dim"}
        rows: list[list[str | Text]] = [
            [
                Text(c.state, style=colours[c.state]),
                c.part,
                f"{c.detail}; {c.remedy}" if c.remedy else c.detail,
            ]
            for c in found
        ]
        show.screen().print(show.table(["", "part", "found"], rows))
    if any(check.state is State.FAULT for check in found):
        raise typer.Exit(Exit.FAULTS)


def checks(settings: Settings, parts: dict[str, Any]) -> Iterator[Check]:
    """Every check, one after the other."""
    names = ", ".join(provider.name for provider in parts["providers"])
    yield Check("settings", State.OK, f"read; providers: {names}")
    yield from _unknown_variables()
    clocks: list[dt.timedelta] = []
    for provider in parts["providers"]:
        yield _provider(provider, clocks)
    for channel in parts["channels"]:
        yield _channel(channel)
    if not parts["channels"]:
        yield Check("channels", State.SKIPPED, "none is set, so links are handed over by you")
    yield from _store(parts["store"], parts["tenant"])
    yield _public_url(settings.public_url)
    yield _clock(clocks)


def _unknown_variables() -> Iterator[Check]:
    """Variables with our prefix that nothing reads are most often a slip of the pen."""
    from importlib.metadata import entry_points

    from paybylink.settings import PREFIX, Settings

    adapters = {
        point.name.upper().replace("-", "_")
        for group in ("paybylink.providers", "paybylink.channels")
        for point in entry_points(group=group)
    }
    known = {name.upper() for name in Settings.model_fields} | {"ZONE", "SPECS"}
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX)
        and (rest := name[len(PREFIX) :]).partition("__")[0] not in known
        and not any(rest.startswith(f"{adapter}_") for adapter in adapters)
    )
    if unknown:
        yield Check("variables", State.WARNING, f"nothing reads {', '.join(unknown)}", "check the spelling")


def _provider(provider: Provider, clocks: list[dt.timedelta]) -> Check:
    """Ask for a link that cannot exist: "there is none" proves that the key is taken."""
    import httpx

    from paybylink.drivers import Doors, run

    part = f"provider {provider.name}"

    def read_clock(response: httpx.Response) -> None:
        try:
            theirs = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError):
            return
        clocks.append(dt.datetime.now(dt.UTC) - theirs.astimezone(dt.UTC))

    with httpx.Client(timeout=_SECONDS, event_hooks={"response": [read_clock]}) as client:
        try:
            _ = run(_no_link(provider), Doors(vault=None, http=client))
        except RefusedByThem as error:
            if error.status in (401, 403):
                return Check(
                    part, State.FAULT, "the key is refused", "copy it from the provider's dashboard again"
                )
            if error.status == 404 or error.standard_code == "not_found":
                return Check(part, State.OK, f"the key is taken, {provider.mode} mode")
            return Check(part, State.WARNING, f"answered with {error.standard_code}", "try again later")
        except NotSent:
            return Check(part, State.FAULT, "cannot be reached", "check the network, the proxy and base_url")
        except PaybylinkError as error:
            return Check(part, State.WARNING, f"gave no usable answer ({error.code})", "try again later")
    return Check(part, State.OK, f"the key is taken, {provider.mode} mode")


def _no_link(provider: Provider) -> Call[VendorLink]:
    """
    Ask for a link that exists nowhere, by the first id of a form that the provider takes.

    Raises:
        InvalidInput: it takes none of them.
    """
    for place, vendor_id in enumerate(_NOWHERE, start=1):
        try:
            return (yield from provider.fetch_link(vendor_id))
        except InvalidInput:
            if place == len(_NOWHERE):
                raise
    raise AssertionError("there are ids to try")


def _channel(channel: Channel) -> Check:
    part = f"channel {channel.name}"
    server = getattr(channel, "server", None)
    if not isinstance(server, MailServer):
        return Check(part, State.SKIPPED, "cannot be checked from here")
    try:
        _greet(server)
    except smtplib.SMTPAuthenticationError as error:
        return Check(
            part, State.FAULT, f"refuses the user name or password ({error.smtp_code})", "check both"
        )
    except smtplib.SMTPResponseException as error:
        return Check(part, State.FAULT, f"answered {error.smtp_code}", "ask your mail provider")
    except ssl.SSLError:
        return Check(
            part, State.FAULT, "has no valid certificate for that name", "check host, port and security"
        )
    except smtplib.SMTPException as error:
        return Check(
            part, State.FAULT, f"does not do what is needed ({type(error).__name__})", "check security"
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Check(part, State.FAULT, f"cannot be reached ({reason})", "check host, port and firewall")
    return Check(
        part, State.OK, "the mail server greets and takes the login" if server.username else "greets"
    )


def _greet(server: MailServer) -> None:
    """Everything up to the login; no mail."""
    trust = ssl.create_default_context(cafile=server.ca_file)
    opened: Callable[[], smtplib.SMTP] = lambda: smtplib.SMTP(server.host, server.port, timeout=_SECONDS)  # noqa: E731 - one of two
    if server.security == "tls":
        opened = lambda: smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=trust)  # noqa: E731 - one of two
    with opened() as line:
        _ = line.ehlo()
        if server.security == "starttls":
            _ = line.starttls(context=trust)
            _ = line.ehlo()
        if server.username and server.password:
            _ = line.login(server.username, server.password)


def _store(url: str | None, tenant: str) -> Iterator[Check]:
    from paybylink.drivers import Doors, run
    from paybylink.store import Store, current, head, open_vault, shown_url

    if url is None:
        yield Check("store", State.SKIPPED, "none: nothing is remembered")
        return
    shown = "the address"
    try:
        shown = shown_url(url)
        file = shown.removeprefix("sqlite:///")
        fresh = file != shown and not os.path.exists(file)
        stands = None if fresh else current(url)
    except PaybylinkError as error:
        yield Check("store", State.FAULT, f"{shown} cannot be used", str(error))
        return
    if fresh:
        yield Check("store", State.OK, f"{shown} will be made at the first link")
        return
    if stands != head():
        yield Check(
            "store",
            State.FAULT,
            f"{shown} stands at {stands or 'nothing'}, not at {head()}",
            "run `paybylink db upgrade`",
        )
        return
    yield Check("store", State.OK, f"{shown} stands at {stands}")
    vault = open_vault(url)
    try:
        last = run(Store(tenant=tenant).pass_at("run_due"), Doors(vault=vault))
    finally:
        vault.close()
    remedy = "run `paybylink run-due` every minute, or `paybylink serve`; until then nothing expires"
    if last is None:
        yield Check("passes", State.WARNING, "there was none yet", remedy)
    elif (ago := dt.datetime.now(dt.UTC) - last) > PASS_OVERDUE:
        yield Check(
            "passes", State.WARNING, f"the last one was {int(ago.total_seconds() // 60)} minutes ago", remedy
        )
    else:
        yield Check("passes", State.OK, f"the last one was {int(ago.total_seconds())} seconds ago")


def _public_url(url: str | None) -> Check:
    if url is None:
        return Check(
            "public_url", State.SKIPPED, "none: customers get the provider's address, which renewal changes"
        )
    return Check("public_url", State.OK, url)


def _clock(clocks: Sequence[dt.timedelta]) -> Check:
    if not clocks:
        return Check("clock", State.SKIPPED, "nobody told the time")
    away = max(clocks, key=abs)
    seconds = int(away.total_seconds())
    if abs(away) > CLOCK_TOLERANCE:
        return Check(
            "clock",
            State.FAULT,
            f"is {seconds} seconds away from the provider's",
            "set it by NTP, or webhooks are refused",
        )
    return Check("clock", State.OK, f"{abs(seconds)} seconds away from the provider's")

"""
Exit codes, and how an error of our tree is told: as text for a person, as JSON for a program, never as a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import IntEnum

import typer

from paybylink.errors import (
    AlreadyPaid,
    ChannelError,
    IllegalMove,
    IntegrityBreach,
    InvalidInput,
    LinkClosed,
    NotSent,
    OutcomeUnknown,
    PaybylinkError,
    ReferenceConflict,
    RefusedByThem,
    RefusedByUs,
    SchemaOutdated,
    SettingsError,
    StoreError,
)
from paybylink.messages import Delivery, Outcome


class Exit(IntEnum):
    """What the exit code of a command means."""

    OK = 0  #: done
    UNEXPECTED = 1  #: a defect of paybylink; please report it
    INPUT = 2  #: wrong usage, input or settings; nothing was sent
    REFUSED = 3  #: the provider or the mail server said no
    UNKNOWN = 4  #: sent, and no answer came; run the same command again
    NOT_SENT = 5  #: nobody was reached; run the same command again
    CONFLICT = 6  #: other content under the same reference, or the link is paid or closed
    NOT_BELIEVED = 7  #: an answer was not what was asked for
    STORE = 8  #: the database is away, locked or of another version
    FAULTS = 9  #: done, and something needs a person: doctor, or a pass with failures


HELP = """Exit codes:

0 done - 1 a defect - 2 wrong usage, input or settings; nothing was sent - 3 refused by the provider or channel -
4 outcome unknown: run the same command again - 5 not sent: nobody was reached - 6 conflict: other content under
the same reference, or the link is paid or closed - 7 the answer was not believed - 8 the database - 9 done, and
something needs a person."""

#: The first class that fits decides.
_CODES: tuple[tuple[type[PaybylinkError], Exit], ...] = (
    (SchemaOutdated, Exit.STORE),
    (ReferenceConflict, Exit.CONFLICT),
    (AlreadyPaid, Exit.CONFLICT),
    (LinkClosed, Exit.CONFLICT),
    (IllegalMove, Exit.CONFLICT),
    (RefusedByUs, Exit.INPUT),
    (RefusedByThem, Exit.REFUSED),
    (OutcomeUnknown, Exit.UNKNOWN),
    (NotSent, Exit.NOT_SENT),
    (IntegrityBreach, Exit.NOT_BELIEVED),
    (StoreError, Exit.STORE),
)

_OUTCOMES = {
    Outcome.REFUSED: Exit.REFUSED,
    Outcome.UNKNOWN: Exit.UNKNOWN,
    Outcome.DEFERRED: Exit.NOT_SENT,
}


def code_of(error: PaybylinkError) -> Exit:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.UNEXPECTED)


def worst_of(deliveries: Iterable[Delivery]) -> Exit:
    """The exit code after sending: the gravest outcome."""
    return max((_OUTCOMES.get(delivery.outcome, Exit.OK) for delivery in deliveries), default=Exit.OK)


def told(error: PaybylinkError) -> dict[str, object]:
    """An error as a JSON object."""
    document: dict[str, object] = {"code": error.code, "message": str(error), "exit": int(code_of(error))}
    if isinstance(error, InvalidInput | SettingsError):
        document["faults"] = [
            {"path": fault.path, "fault": fault.fault, "remedy": fault.remedy} for fault in error.faults
        ]
    if isinstance(error, RefusedByThem):
        document |= {
            "who": error.who,
            "standard_code": error.standard_code,
            "vendor_code": error.vendor_code,
            "request_id": error.request_id,
            "retryable": error.retryable,
        }
    if isinstance(error, ReferenceConflict):
        document["differences"] = list(error.differences)
    return document


def report(error: PaybylinkError, *, as_json: bool) -> None:
    """Tell an error: JSON on stdout, where a program reads, or text on stderr."""
    if as_json:
        typer.echo(json.dumps({"error": told(error)}, ensure_ascii=False))
        return
    typer.secho(f"error: {error}", fg="red", err=True)
    if remedy := _remedy(error):
        typer.echo(remedy, err=True)


def _remedy(error: PaybylinkError) -> str:
    if isinstance(error, ReferenceConflict):
        return "On the command line: --replace closes the old link and makes a new one."
    if isinstance(error, OutcomeUnknown):
        return "Run the same command again: it asks before it does anything."
    if isinstance(error, NotSent):
        return "Nothing was sent. Run the same command again when the other side can be reached."
    if isinstance(error, RefusedByThem):
        known = [f"request {error.request_id}"] if error.request_id else []
        known += [f"code {error.vendor_code}"] if error.vendor_code else []
        hint = "The same command may work later." if error.retryable else ""
        if isinstance(error, ChannelError) and not hint:
            hint = "`paybylink doctor` checks the mail server."
        return " ".join(part for part in (hint, f"({', '.join(known)})" if known else "") if part)
    return ""

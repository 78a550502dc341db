"""``paybylink serve``: link pages and webhooks over HTTP, with the regular pass beside them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from paybylink.errors import MissingExtra, PaybylinkError

from .session import JsonOption, session_of

if TYPE_CHECKING:
    from paybylink.client import PayByLink

log = logging.getLogger("paybylink.serve")


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = 8080,
    due_every: Annotated[
        int, typer.Option(min=0, help="Seconds between two passes of whatever is due; 0 leaves them to you.")
    ] = 60,
    as_json: JsonOption = False,
) -> None:
    """
    Serve the public link pages (/p/…) and the webhooks (/webhooks/…) until it is stopped.

    Put a proxy with https in front of it, and set PAYBYLINK_PUBLIC_URL to its address.
    """
    try:
        import uvicorn

        from paybylink.web.app import app
    except ImportError as error:
        raise MissingExtra("web", "serving the link pages") from error

    session = session_of(ctx)
    settings = session.settings()
    with session.client() as pay:
        application = app(
            pay,
            merchant=settings.merchant.name,
            contact=settings.merchant.contact,
            zone=settings.merchant.zone or "Europe/Paris",
            language=settings.language,
        )
        stop = threading.Event()
        passes = threading.Thread(target=_pass_regularly, args=(pay, due_every, stop), daemon=True)
        if due_every:
            passes.start()
        try:
            # No access log: a path holds a link's token, by which its page opens.
            uvicorn.run(application, host=host, port=port, access_log=False, log_level="info")
        finally:
            stop.set()
            if due_every:
                passes.join(timeout=5)
    del as_json


def _pass_regularly(pay: PayByLink, seconds: int, stop: threading.Event) -> None:
    while not stop.wait(seconds):
        try:
            done = pay.run_due()
        except PaybylinkError as error:
            log.warning("a pass could not be made: %s", error.code)
        else:
            if done.failed:
                log.warning("a pass left %d pieces for the next one", len(done.failed))

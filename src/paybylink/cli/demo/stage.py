"""
The stage: the sandbox and our own pages, both on loopback, until the demo is over.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from attrs import frozen

from paybylink.accounting.accounts import PCG
from paybylink.channels.smtp import SmtpEmail, Wording
from paybylink.client import PayByLink
from paybylink.providers.stripe import StripeProvider
from paybylink.sandbox import Sandbox
from paybylink.web.app import app

from .folder import DemoFolder

if TYPE_CHECKING:
    from starlette.applications import Starlette

#: Any test key will do at the sandbox.
API_KEY = "sk_test_demo"
MERCHANT = "Atelier Papier & Encre"
CONTACT = "atelier@papier-encre.example"
_SECONDS = 10.0


@frozen
class Stage:
    """
    What the demo plays on.

    Attributes:
        pay: the client, as any host would make it.
        sandbox: the provider, the mail server and the mailbox.
        folder: where everything is kept.
    """

    pay: PayByLink
    sandbox: Sandbox
    folder: DemoFolder


@contextmanager
def open_stage(folder: DemoFolder) -> Iterator[Stage]:
    """The stage, closed afterwards."""
    told = [(folder.webhook_url, folder.webhook_secret)]
    with Sandbox(
        folder.sandbox_file, port=folder.sandbox_port, smtp_port=folder.smtp_port, webhooks=told
    ) as sandbox:
        pay = PayByLink(
            providers=[
                StripeProvider(API_KEY, webhook_secrets=[folder.webhook_secret], base_url=sandbox.stripe_url)
            ],
            channels=[
                SmtpEmail(
                    sandbox.smtp_host,
                    sandbox.smtp_port,
                    sender=f"{MERCHANT} <{CONTACT}>",
                    security="none",
                    wording=Wording(merchant=MERCHANT, contact=CONTACT, language="fr"),
                )
            ],
            store=folder.store,
            public_url=folder.public_url,
            accounts=PCG,
            language="fr",
        )
        with pay, served(app(pay, merchant=MERCHANT, contact=CONTACT, language="fr"), folder.web_port):
            yield Stage(pay, sandbox, folder)


@contextmanager
def served(application: Starlette, port: int) -> Iterator[None]:
    """Serve an application on loopback from a thread, until the block ends."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + _SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_SECONDS)
        listening.close()

"""
The whole sandbox: one ASGI application, and `Sandbox`, which runs it with its mail server in a thread.

`sandbox_app` is for tests in one process (`httpx.ASGITransport`); nothing listens and webhooks leave when the
control route `flush` is called. `Sandbox` listens for real, on addresses of this machine only: HTTP for the
vendors' APIs, the hosted pages, the mailbox and the control routes; SMTP for mails; and a courier for webhooks.
All three share one event loop in one background thread, and one SQLite file.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime
from os import PathLike, fspath
from typing import Self

from aiosmtpd.smtp import SMTP
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from paybylink.sandbox.control import SandboxControl
from paybylink.sandbox.control_api import control_routes
from paybylink.sandbox.cuttable import CuttableProtocol
from paybylink.sandbox.engine import Engine
from paybylink.sandbox.hosted import hosted_routes
from paybylink.sandbox.mail_pages import mail_routes
from paybylink.sandbox.mailbox import Mailman, smtp_protocol
from paybylink.sandbox.shaky import Door
from paybylink.sandbox.vendor import Registration
from paybylink.sandbox.vendors import VENDORS
from paybylink.sandbox.webhooks import Courier, is_loopback_host, retry


class SandboxApp:
    """
    The sandbox as an ASGI application.

    Args:
        engine: its state.

    Attributes:
        courier: carries the webhooks; `Courier.run` does so until cancelled.
        door: acts out the faults; `Door.close` lets go of held connections.
    """

    def __init__(self, engine: Engine) -> None:
        self.courier = Courier(engine, VENDORS)
        routes = [
            *control_routes(engine, VENDORS, self.courier),
            *(route for vendor in VENDORS for route in vendor.routes(engine)),
            *hosted_routes(engine, VENDORS),
            *mail_routes(engine),
        ]
        self.door = Door(Starlette(routes=routes), engine, routes, VENDORS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, if it was meant for this machine."""
        if scope["type"] == "http" and not _meant_for_us(Headers(scope=scope).get("host", "")):
            # A page elsewhere whose name was bent to this machine must find nothing here.
            refusal = PlainTextResponse("The sandbox answers to loopback host names only.", 421)
            await refusal(scope, receive, send)
            return
        await self.door(scope, receive, send)


def sandbox_app(engine: Engine) -> SandboxApp:
    """The sandbox as an ASGI application over `engine`, for tests in one process."""
    return SandboxApp(engine)


class Sandbox:
    """
    A running sandbox; a context manager.

    Args:
        path: the file that keeps its state; ``":memory:"`` keeps it for this run only.
        host: the address to listen on; one of this machine.
        port: the HTTP port; with 0 the one that the file remembers, where it is free, else any.
        smtp_port: the SMTP port, likewise.
        webhooks: pairs of address and signing secret for Stripe's events. They are known by their place: after a
            restart the first pair takes over what waits for the first, whatever its address is now.
        adyen_webhooks: likewise for Adyen's; the secret is the HMAC key in hex.
        mollie_webhooks: likewise for Mollie's.
        clock: where real time comes from; the sandbox's offset is added to it.
        smtp_users: names and passwords; when given, only they may send mails.
        smtp_tls: a server's TLS context; when given, STARTTLS is offered.

    Raises:
        ValueError: an address that is not of this machine, or a secret that is not of its vendor's form.
        OSError: a port that is taken.
    """

    engine: Engine
    control: SandboxControl
    smtp_port: int
    url: str

    def __init__(
        self,
        path: str | PathLike[str] = ":memory:",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        smtp_port: int = 0,
        webhooks: Iterable[tuple[str, str]] = (),
        adyen_webhooks: Iterable[tuple[str, str]] = (),
        mollie_webhooks: Iterable[tuple[str, str]] = (),
        clock: Callable[[], datetime] | None = None,
        smtp_users: Mapping[str, str] | None = None,
        smtp_tls: ssl.SSLContext | None = None,
    ) -> None:
        if not is_loopback_host(host):
            raise ValueError(
                f"host={host!r} is not an address of this machine; use 127.0.0.1, ::1 or localhost"
            )
        self._path = fspath(path)
        self._host = host
        self._ports = {"port": port, "smtp_port": smtp_port}
        self._webhooks = {
            "stripe": list(webhooks),
            "adyen": list(adyen_webhooks),
            "mollie": list(mollie_webhooks),
        }
        self._clock = clock
        self._smtp_users = smtp_users
        self._smtp_tls = smtp_tls
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def stripe_url(self) -> str:
        """What stands for ``https://api.stripe.com``: ``StripeClient(base_addresses={"api": …})``."""
        return f"{self.url}/stripe"

    @property
    def adyen_url(self) -> str:
        """What stands for ``https://checkout-test.adyen.com``; the API's version follows: ``…/adyen/v72``."""
        return f"{self.url}/adyen"

    @property
    def mollie_url(self) -> str:
        """What stands for ``https://api.mollie.com``; the API's version follows: ``…/mollie/v2``."""
        return f"{self.url}/mollie"

    @property
    def smtp_host(self) -> str:
        """The address of the mail server."""
        return self._host

    def start(self) -> Self:
        """This sandbox, listening."""
        if self._thread is not None:
            raise RuntimeError("This sandbox runs already; close it before starting it again.")
        self.engine = Engine(self._path, clock=self._clock)
        opened: list[socket.socket] = []
        try:
            for name in ("port", "smtp_port"):
                opened.append(self._listen(name))
            port, self.smtp_port = (int(listener.getsockname()[1]) for listener in opened)
            shown_host = f"[{self._host}]" if ":" in self._host else self._host
            self.url = f"http://{shown_host}:{port}"
            self.engine.move_to(self.url)
            for vendor in VENDORS:
                for place, (url, secret) in enumerate(self._webhooks[vendor.name], start=1):
                    _ = vendor.register(self.engine, Registration(url=url, secret=secret, place=place))
            # Whoever could not be reached before may listen now.
            _ = retry(self.engine, "queued", "failed")
            started: Future[None] = Future()
            self._thread = threading.Thread(
                target=self._run, args=(*opened, started), name="paybylink-sandbox", daemon=True
            )
            self._thread.start()
            started.result(timeout=30)
        except BaseException:
            for listener in opened:
                listener.close()
            self._thread = None
            self.engine.close()
            raise
        self.control = SandboxControl(self.url)
        return self

    def close(self) -> None:
        """Stop listening, end every connection and close the file. What was not delivered is kept."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self.control.close()
        with contextlib.suppress(RuntimeError):
            _ = self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None
        self.engine.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self, name: str) -> socket.socket:
        wanted = self._ports[name]
        remembered = self.engine.setting(name)
        candidates = [wanted] if wanted or remembered is None else [int(remembered), 0]
        listener: socket.socket | None = None
        for candidate in candidates:
            try:
                listener = socket.create_server(
                    (self._host, candidate), family=socket.AF_INET6 if ":" in self._host else socket.AF_INET
                )
                break
            except OSError:
                if candidate == candidates[-1]:
                    raise
        assert listener is not None
        # Inherited by every connection. asyncio would do it, but not for a socket that says proto=0.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.engine.keep_setting(name, str(listener.getsockname()[1]))
        return listener

    def _run(self, http: socket.socket, smtp: socket.socket, started: Future[None]) -> None:
        try:
            asyncio.run(self._serve(http, smtp, started))
        except BaseException as fault:
            if started.done():
                raise
            started.set_exception(fault)

    async def _serve(self, http: socket.socket, smtp: socket.socket, started: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = sandbox_app(self.engine)
        # uvicorn's Server would take half a second to start and stop; its protocol needs none of it.
        config = Config(
            app,
            log_config=None,
            lifespan="off",
            ws="none",
            interface="asgi3",
            proxy_headers=False,
            timeout_keep_alive=75,
        )
        config.load()
        state = ServerState()
        mailman = Mailman(self.engine, self._smtp_users)
        loop = self._loop
        conversations: list[SMTP] = []

        def converse() -> SMTP:
            conversations[:] = [talk for talk in conversations if talk.transport is not None]
            conversations.append(smtp_protocol(mailman, loop, tls=self._smtp_tls))
            return conversations[-1]

        servers = [
            await loop.create_server(lambda: CuttableProtocol(config, state, {}), sock=http, backlog=512),
            await loop.create_server(converse, sock=smtp, backlog=512),
        ]
        courier = asyncio.create_task(app.courier.run(), name="courier")
        started.set_result(None)
        _ = await self._stop.wait()
        for server in servers:
            server.close()
        app.door.close()
        _ = courier.cancel()
        _ = await asyncio.wait({courier}, timeout=2)
        if state.tasks:
            _ = await asyncio.wait(state.tasks, timeout=2)
        for connection in [*state.connections, *conversations]:
            if connection.transport is not None:
                _abort(connection.transport)
        # The transports close their sockets in the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)


def _abort(transport: asyncio.BaseTransport) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _meant_for_us(host: str) -> bool:
    name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0]
    return is_loopback_host(name)

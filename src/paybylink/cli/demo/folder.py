"""
The demo's folder: its database, the sandbox's state, its exports, and the few values that must outlive a process.

Ports are kept, so that links and mails that were made before a restart still lead somewhere, and so is the secret
with which the sandbox signs its webhooks.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from contextlib import ExitStack
from pathlib import Path

from attrs import asdict, frozen

from paybylink.errors import InvalidInput

#: Where ports are looked for first; any other free one will do.
_USUAL_PORTS = (8025, 8026, 2525)


@frozen(kw_only=True)
class DemoFolder:
    """
    One demo on disk.

    Attributes:
        path: the folder.
        sandbox_port, web_port, smtp_port: on 127.0.0.1.
        webhook_secret: of the one endpoint that the sandbox tells.
    """

    path: Path
    sandbox_port: int
    web_port: int
    smtp_port: int
    webhook_secret: str

    @property
    def store(self) -> str:
        """Our own database."""
        return f"sqlite:///{self.path / 'demo.db'}"

    @property
    def sandbox_file(self) -> Path:
        """The sandbox's own state, which shares nothing with ours."""
        return self.path / "sandbox.db"

    @property
    def public_url(self) -> str:
        """Where our own link pages are."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def webhook_url(self) -> str:
        """Where the sandbox tells what happened."""
        return f"{self.public_url}/webhooks/stripe"


def open_folder(path: Path) -> DemoFolder:
    """
    The demo in `path`, made at the first start.

    Raises:
        InvalidInput: the folder cannot be used, or another demo is running in it.
    """
    path = path.resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        kept = path / "demo.json"
        if kept.exists():
            folder = _read(path, kept)
            _check_free(folder)
            return folder
        sandbox_port, web_port, smtp_port = _free_ports()
        folder = DemoFolder(
            path=path,
            sandbox_port=sandbox_port,
            web_port=web_port,
            smtp_port=smtp_port,
            webhook_secret=f"whsec_{secrets.token_hex(16)}",
        )
        values = asdict(folder)
        del values["path"]
        # Whole or not at all: a demo may be killed at any moment.
        beside = path / f".demo.json.{os.getpid()}"
        _ = beside.write_text(json.dumps(values, indent=2), "utf-8")
        _ = beside.replace(kept)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput.single("--dir", f"cannot be used ({reason})", "choose another folder") from None
    return folder


def _read(path: Path, kept: Path) -> DemoFolder:
    try:
        return DemoFolder(path=path, **json.loads(kept.read_text("utf-8")))
    except (TypeError, ValueError):
        raise InvalidInput.single(
            "--dir", "holds a demo.json of another kind", "choose an empty folder"
        ) from None


def _check_free(folder: DemoFolder) -> None:
    for port in (folder.sandbox_port, folder.web_port, folder.smtp_port):
        try:
            _bound(port).close()
        except OSError:
            raise InvalidInput.single(
                "--dir",
                f"belongs to a demo whose port {port} is taken",
                "stop the demo that runs there, or choose another folder",
            ) from None


def _free_ports() -> tuple[int, ...]:
    """One free port for each of the usual ones, all different."""
    with ExitStack() as held:
        ports = []
        for usual in _USUAL_PORTS:
            try:
                taken = held.enter_context(_bound(usual))
            except OSError:
                taken = held.enter_context(_bound(0))
            ports.append(int(taken.getsockname()[1]))
        return tuple(ports)


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A port of a demo that was killed a moment ago waits for stray packets and is free all the same.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made

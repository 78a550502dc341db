"""What was answered survives: a restart, a kill, a port that changed."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import stripe

from paybylink.sandbox import Engine, Sandbox

from .sandbox_given import Listener, link_params


def test_a_restart_keeps_everything_and_finishes_the_webhooks(
    tmp_path: Path, connect: Callable[..., stripe.StripeClient], listener: Listener
) -> None:
    """Links, keys, faults, mails, clock and the queue are there again; a new address takes over what waited."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        dead = f"http://127.0.0.1:{nobody.getsockname()[1]}/hook"
    with Sandbox(tmp_path / "state.db", webhooks=[(dead, "whsec_old")]) as first:
        link = connect(first).v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})
        _ = first.control.pay(link.url)
        _ = first.control.fault("status", "stripe.refunds.create", times=3)
        _ = first.control.move_clock(timedelta(hours=1))
        with smtplib.SMTP(first.smtp_host, first.smtp_port) as server:
            _ = server.sendmail("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n")
        port = first.url

    with Sandbox(tmp_path / "state.db", webhooks=[(listener.url, "whsec_new")]) as second:
        _ = second.control.flush_webhooks()
        again = connect(second).v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

        assert second.url == port
        assert again.id == link.id
        assert [fault["times"] for fault in second.control.faults()] == [3]
        assert [mail.subject for mail in second.control.mails()] == ["hello"]
        assert second.engine.clock.offset == timedelta(hours=1)
    assert listener.types[:2] == ["payment_link.created", "checkout.session.completed"]
    for body, header in listener.heard:
        # The sandbox's clock is an hour ahead of the verifier's, which looks back only.
        assert stripe.WebhookSignature.verify_header(body.decode(), header, "whsec_new", 300)


def test_links_follow_a_new_port(tmp_path: Path, connect: Callable[..., stripe.StripeClient]) -> None:
    """When the old port is taken, old links and remembered answers lead to the new one."""
    with Sandbox(tmp_path / "state.db") as first:
        _ = connect(first).v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})
        taken = int(first.url.rpartition(":")[2])

    with socket.create_server(("127.0.0.1", taken)), Sandbox(tmp_path / "state.db") as second:
        link = connect(second).v1.payment_links.create(link_params(), {"idempotency_key": "k-1"})

        assert link.url.startswith(f"{second.url}/pay/")
        assert httpx.get(link.url).status_code == 200
        assert second.url != first.url


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not on Windows")
def test_a_kill_loses_nothing_that_was_answered(
    tmp_path: Path, connect: Callable[..., stripe.StripeClient]
) -> None:
    """A sandbox killed after its answer has the link when it comes back."""
    command = [
        sys.executable,
        "-m",
        "paybylink.sandbox",
        str(tmp_path / "state.db"),
        "--port",
        "0",
        "--smtp-port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        reply = httpx.post(
            f"{url}/stripe/v1/payment_links",
            headers={"Authorization": "Bearer sk_test_x"},
            data={
                "line_items[0][price_data][currency]": "eur",
                "line_items[0][price_data][unit_amount]": "4990",
                "line_items[0][price_data][product_data][name]": "X",
                "line_items[0][quantity]": "1",
            },
        )
    finally:
        process.kill()
        _ = process.wait()
        if process.stdout is not None:
            process.stdout.close()

    with Sandbox(tmp_path / "state.db") as sandbox:
        kept = sandbox.control.links()

    assert [link["id"] for link in kept] == [reply.json()["id"]]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is not on Windows")
def test_the_command_ends_when_asked(tmp_path: Path) -> None:
    """`python -m paybylink.sandbox` says where it listens and ends with 0 on SIGTERM."""
    command = [
        sys.executable,
        "-m",
        "paybylink.sandbox",
        str(tmp_path / "state.db"),
        "--port",
        "0",
        "--smtp-port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(3)]
    process.terminate()
    code = process.wait(timeout=30)
    process.stdout.close()

    assert code == 0
    assert said[0].startswith("Sandbox, no real money: http://127.0.0.1:")
    assert "/stripe" in said[1]


def test_closing_leaves_no_thread() -> None:
    """After `close` the thread is gone, a second `close` does nothing, and the sandbox can start again."""
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert any(thread.name == "paybylink-sandbox" for thread in threading.enumerate())
            with pytest.raises(RuntimeError, match="runs already"):
                _ = sandbox.start()
    sandbox.close()

    assert not any(thread.name == "paybylink-sandbox" for thread in threading.enumerate())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "example.com", "::"])  # noqa: S104
def test_only_this_machine_is_listened_on(host: str) -> None:
    """Any other address is refused before anything is opened."""
    with pytest.raises(ValueError, match="not an address of this machine"):
        _ = Sandbox(host=host)


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """A port in use is an `OSError`, and nothing stays open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            _ = Sandbox(tmp_path / "state.db", port=port).start()


def test_one_file_has_one_sandbox(tmp_path: Path) -> None:
    """A second sandbox on the same file is refused with the remedy, and the first goes on."""
    with Engine(tmp_path / "state.db") as engine:
        with pytest.raises(RuntimeError, match="in use by another sandbox"):
            _ = Engine(tmp_path / "state.db", patience=timedelta(0))
        engine.keep_setting("still", "here")


def test_a_failed_transaction_leaves_nothing() -> None:
    """What is written inside a block that raises is not there afterwards, nested blocks included."""
    with Engine() as engine:

        def half_done() -> None:
            with engine.transaction():
                with engine.transaction():
                    _ = engine.put("thing", {"id": "a"})
                raise RuntimeError

        with pytest.raises(RuntimeError):
            half_done()

        assert engine.get("thing", "a") is None

"""What the pages show works: their code runs, the tutorial gives what it shows, and their commands exist."""

from __future__ import annotations

import ast
import datetime as dt
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from paybylink.cli.program import program
from paybylink.links import LinkStatus
from paybylink.sandbox import Sandbox
from workflows.receiver import Receiver
from workflows.world import World

from .pages import Block, blocks_of, commands, every_block, pages, text_of
from .reader import Reader

SECRET = "whsec_reader"
TUTORIAL = "docs/tutorials/first-link.md"
SMTP = "docs/channels/smtp.md"
#: Sections whose blocks are compiled and not run, and why.
NOT_RUN = {"Django": "Django is no dependency of the tests; tests/store lends a DB-API connection instead"}

root: Any = typer.main.get_command(program)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sandbox, and a working folder without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PAYBYLINK_")]:
        monkeypatch.delenv(name)
    with Receiver() as receiver, Sandbox(webhooks=[(receiver.url, SECRET)]) as sandbox:
        yield World(sandbox=sandbox, receiver=receiver, secret=SECRET, folder=tmp_path)


@pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in every_block("python")])
def test_every_python_block_compiles(block: Block) -> None:
    """A reader can paste it; some stand inside an async function."""
    _ = compile(block.text, block.place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


@pytest.mark.filterwarnings("ignore:no store is set")
@pytest.mark.parametrize(
    ("page", "awaiting"),
    [
        pytest.param("README.md", False, id="readme"),
        pytest.param("docs/index.md", False, id="index"),
        pytest.param("docs/index.md", True, id="index-async"),
        pytest.param("docs/how-to/webhooks.md", False, id="webhooks"),
        pytest.param("docs/how-to/webhooks.md", True, id="webhooks-async"),
        pytest.param("docs/how-to/lend-a-connection.md", False, id="lend-a-connection"),
        pytest.param("docs/how-to/lend-a-connection.md", True, id="lend-a-connection-async"),
        pytest.param("docs/how-to/retry-safely.md", False, id="retry-safely"),
        pytest.param("docs/how-to/retry-safely.md", True, id="retry-safely-async"),
        pytest.param("docs/explanation/exactly-once.md", False, id="exactly-once"),
        pytest.param(SMTP, False, id="smtp"),
        pytest.param("docs/how-to/develop-offline.md", False, id="develop-offline"),
        pytest.param("docs/reference/error-codes.md", False, id="error-codes"),
    ],
)
def test_page_runs_as_it_stands(
    world: World, page: str, awaiting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who types a page from top to bottom gets through it."""
    monkeypatch.setenv("PAYBYLINK_STRIPE_API_KEY", "sk_test_reader")
    monkeypatch.setenv("PAYBYLINK_STRIPE_BASE_URL", world.sandbox.stripe_url)
    reader = Reader(world, awaiting)
    shown = blocks_of(page, "python")
    read = [b for b in shown if (b.tab == "Async") is awaiting and b.section not in NOT_RUN]
    assert read
    try:
        for block in read:
            reader.read(block)
        _check(reader, page)
    finally:
        reader.close()


def _check(reader: Reader, page: str) -> None:
    """What must have happened after a page was read."""
    names = reader.names
    if page == "README.md":
        assert names["reply"].status == 200
        assert len(reader.world.refunds("INV-2026-031")) == 1
        assert len(reader.world.sandbox.control.mails()) == 1
    elif page.endswith("webhooks.md"):
        call = reader.give_call()

        async def body() -> bytes:
            return call.body

        request = SimpleNamespace(
            headers=call.headers, get_data=lambda: call.body, body=body if reader.awaiting else call.body
        )
        reply = reader.done(names["stripe_webhook"](request))
        assert (reply.status_code if reader.awaiting else reply.status) == 200
        assert reader.shipped == ([] if reader.awaiting else ["INV-2026-031"])
    elif page.endswith("lend-a-connection.md"):
        assert names["done"].completed == 1
        link = reader.done(names["pay"].link("INV-2026-031"))
        assert link.status is LinkStatus.OPEN
    elif page.endswith("retry-safely.md") and not reader.awaiting:
        assert len(reader.world.sandbox.control.mails()) == 2
        assert len(reader.world.refunds("INV-2026-031")) == 1


def test_tutorial_works_as_it_is_typed(world: World) -> None:
    """From nothing to a paid and partly refunded link, with the output that the page shows."""
    sandbox, script, paid = world.sandbox, "", False
    year = dt.datetime.now(dt.UTC).year

    def here(text: str) -> str:
        address = sandbox.url.removeprefix("http://")
        typed = text.replace("127.0.0.1:8025", address).replace("2525", str(sandbox.smtp_port))
        return typed.replace("date(2026,", f"date({year},")

    def run(code: str) -> subprocess.CompletedProcess[str]:
        _ = Path("first.py").write_text(code, "utf-8")
        return subprocess.run(
            [sys.executable, "first.py"], capture_output=True, encoding="utf-8", timeout=60, check=False
        )

    for block in blocks_of(TUTORIAL):
        if block.language == "python":
            script += here(block.text)
        elif block.language == "text":
            conflict = run(script.replace('"49.90"', '"59.90"'))
            assert conflict.returncode == 1
            assert conflict.stderr.splitlines()[-1] == block.text.rstrip("\n")
        elif "first.py" in block.text:
            if block.section.startswith("6.") and not paid:
                paid = True
                (link,) = sandbox.control.links()
                _ = sandbox.control.pay(link["url"])
            # Each step may be run again; its first run is the one that acts.
            first, second = run(script), run(script)
            assert (first.returncode, first.stderr) == (0, "")
            expected = re.escape(here(block.text.partition("\n")[2])).replace("…", r"\w+")
            assert re.fullmatch(expected, second.stdout), (expected, second.stdout)
            if not (block.section.startswith("6.")):
                assert first.stdout == second.stdout

    assert paid
    assert len(sandbox.control.links()) == 1
    assert [mail.subject[:6] for mail in sandbox.control.mails()] == ["[TEST]"]
    assert [refund["amount"] for refund in sandbox.control.refunds()] == [1000]


def test_sandbox_prints_what_the_tutorial_shows(world: World) -> None:
    """The addresses that a newcomer copies are those that the sandbox tells."""
    (shown,) = (b.text for b in blocks_of(TUTORIAL, "console") if "sandbox --dir" in b.text)
    _, _, expected = shown.partition("\n")
    words = ["-m", "paybylink.cli", "sandbox", "--dir", "sandbox", "--port", "0", "--smtp-port", "0"]
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline().rstrip() + "\n" for _ in expected.splitlines())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0

    assert re.sub(r"(:|PORT=)\d{4,5}\b", r"\1…", printed) == re.sub(r"(:|PORT=)\d{4,5}\b", r"\1…", expected)


@pytest.mark.parametrize("words", [pytest.param(words, id=place) for place, words in commands()])
def test_every_command_shown_exists(words: str) -> None:
    """Nobody copies a command or an option that is not there."""
    command, context, rest = root, None, shlex.split(words)
    while True:
        context = command.make_context(command.name, rest, parent=context)
        if not hasattr(command, "commands"):
            break
        rest = [*context._protected_args, *context.args]
        _, command, rest = command.resolve_command(context, rest)


def test_every_command_in_the_text_exists() -> None:
    """A command that a sentence names is there as well."""
    named = {
        found.split()[0] for page in pages() for found in re.findall(r"`paybylink ([^`]+)`", text_of(page))
    }

    assert named - {"COMMAND"} <= set(root.commands)

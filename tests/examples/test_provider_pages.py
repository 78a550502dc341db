"""A provider's page takes a new user from nothing to a paid link, its code runs, and its tables are the code's."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from paybylink import PayByLink
from paybylink.links import LinkStatus
from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.adyen._notices import _READERS as ADYEN_EVENTS
from paybylink.providers.base import Provider
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.stripe import StripeProvider
from paybylink.providers.stripe._webhook import _READERS as STRIPE_EVENTS
from paybylink.sandbox import Sandbox, SandboxControl
from paybylink.settings import load
from workflows.receiver import Receiver
from workflows.shops import HMAC_KEY
from workflows.world import QUICK, World

from . import provider_matrix
from .pages import Block, blocks_of, coded, headings, table_under, text_of
from .reader import Reader

SECRET = "whsec_reader"
VENDORS = ("stripe", "adyen", "mollie")
PAGES = {name: f"docs/providers/{name}.md" for name in VENDORS}
MADE: dict[str, type] = {"stripe": StripeProvider, "adyen": AdyenProvider, "mollie": MollieProvider}
FIRST_LINK = ("1. Start the sandbox", "2. Start a server", "3. Make a link", "5. See it paid")

vendors = pytest.mark.parametrize("vendor", VENDORS)


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder of its own, and no variable of the machine's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PAYBYLINK_")]:
        monkeypatch.delenv(name)


# From nothing to a paid link


@vendors
def test_a_new_user_gets_a_paid_link(vendor: str, tmp_path: Path) -> None:
    """Whoever types the commands of the page, in three terminals, ends with the line that it shows."""
    port = _free_port()
    blocks = [b for b in blocks_of(PAGES[vendor], "console") if b.section in FIRST_LINK]
    start, serve, create, paid = [b for b in blocks if "pip install" not in b.text]
    variables: dict[str, str] = {}
    with ExitStack() as stack:
        sandbox = _start(stack, start.text.replace("8080", str(port)), variables, "--port", "0")
        told = [_line(sandbox) for _ in start.text.splitlines()[1:]]
        _same(told, start)
        variables |= _exports(told)
        _ = _start(stack, serve.text.replace("8080", str(port)), variables)
        variables |= _exports(serve.text.replace("8080", str(port)).splitlines())
        _listens(port)

        (url,) = _run(create.text, variables)
        assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/p/[\w-]+", url)
        control = SandboxControl(variables[f"PAYBYLINK_{vendor.upper()}_BASE_URL"].rpartition("/")[0])
        stack.callback(control.close)
        (link,) = control.truth()["links"]
        page = httpx.get(url, trust_env=False).text
        (button,) = re.findall(r'href="([^"]*/pay/[^"]+)"', page)
        assert link["id"] in button
        (told,) = re.findall(r'press "([^"]+)"', text_of(PAGES[vendor]))
        assert f">{told}</button>" in httpx.get(button.replace("&amp;", "&"), trust_env=False).text
        _ = httpx.post(button.replace("&amp;", "&"), data={"how": "card"}, trust_env=False)
        assert control.flush_webhooks()["failed"] == 0
        lines = _run(paid.text, variables)

    shown = paid.text.splitlines()[1:]
    assert lines[0].split() == shown[0].split()
    assert lines[1].split()[:-1] == shown[1].split()[:-1]


def _start(stack: ExitStack, text: str, variables: dict[str, str], *more: str) -> subprocess.Popen[str]:
    """The command that stays, of those in a block; what is exported before counts."""
    command = next(line[2:] for line in text.splitlines() if line.startswith("$ paybylink"))
    words = [*shlex.split(command)[1:], *more, *(("--smtp-port", "0") if more else ())]
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "paybylink.cli", *words],
            env={**os.environ, **variables, **_exports(text.splitlines())},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
    )

    def end() -> None:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0

    stack.callback(end)
    return process


def _run(text: str, variables: dict[str, str]) -> list[str]:
    """The lines that the command of a block prints on stdout."""
    (command,) = [line[2:] for line in text.splitlines() if line.startswith("$ paybylink")]
    done = subprocess.run(
        [sys.executable, "-m", "paybylink.cli", *shlex.split(command)[1:]],
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _exports(lines: list[str]) -> dict[str, str]:
    """What a shell knows after the lines that begin with ``export`` were pasted."""
    found = (re.fullmatch(r"(?:\$ )?export (\w+)=(\S+)", line) for line in lines)
    return {each[1]: each[2] for each in found if each}


def _same(told: list[str], block: Block) -> None:
    """Ports and secrets are chosen anew each time."""

    def bare(line: str) -> str:
        return re.sub(r"(KEYS|SECRETS)=\S+", r"\1=…", re.sub(r"(:|PORT=)\d{4,5}\b", r"\1…", line))

    assert [bare(line) for line in told] == [bare(line) for line in block.text.splitlines()[1:]]


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> None:
    """Return once a server answers."""
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, trust_env=False) as client:
        _ = client.get(f"http://127.0.0.1:{port}/")


# The code of a page


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A sandbox that tells of Stripe's and Adyen's events; Mollie calls each link's own address."""
    with (
        Receiver() as receiver,
        Sandbox(
            webhooks=[(receiver.url, SECRET)],
            adyen_webhooks=[(f"{receiver.base}/webhooks/adyen", HMAC_KEY)],
        ) as sandbox,
    ):
        yield World(sandbox=sandbox, receiver=receiver, secret=SECRET, folder=tmp_path)


@vendors
def test_page_runs_as_it_stands(world: World, vendor: str) -> None:
    """A reader who types the code from top to bottom gets through it, and has a paid link and a refund."""
    reader, served = Reader(world, awaiting=False), _serving(world, vendor)
    blocks = blocks_of(PAGES[vendor], "python")
    script, settling = (
        [block for block in blocks if block.section == section] for section in ("In Python", "Settlements")
    )
    refunded = 0
    try:
        for block in blocks:
            if block == settling[0] and vendor == "adyen":
                _pay_out(world)
            if block.section == "Refunds, captures, disputes" and "payment" not in reader.names:
                reader.names["payment"] = next(iter(served.payments()))
            reader.read(block)
            if block == script[0]:
                _ = world.sandbox.control.pay(reader.names["link"].current.url)
                _hear(world, served, vendor)
            elif block == script[1]:
                assert reader.names["link"].status is LinkStatus.PAID
                reader.names["pay"].close()
                reader.names["pay"] = served
        refunded = reader.names["refund"].amount.minor
        _answers(reader, vendor)
    finally:
        reader.close()

    assert refunded == 1000


def _serving(world: World, vendor: str) -> PayByLink:
    """The application of the page, with the secrets of its webhooks, on the store of its script."""
    providers: dict[str, Provider] = {
        "stripe": world.provider(),
        "adyen": AdyenProvider(
            "sandbox-key",
            merchant_account="SandboxECOM",
            hmac_keys=[HMAC_KEY],
            base_url=world.sandbox.adyen_url,
        ),
        "mollie": MollieProvider("test_sandbox", base_url=world.sandbox.mollie_url),
    }
    return PayByLink(
        providers=[providers[vendor]],
        store=f"sqlite:///{'first' if vendor == 'adyen' else 'script'}.db",
        public_url=world.receiver.base,
        patience=QUICK,
    )


def _hear(world: World, served: PayByLink, vendor: str) -> None:
    for call in [call for call in world.told(0) if call.provider == vendor]:
        reply = served.receive(vendor, headers=call.headers, body=call.body, query=call.query)
        assert reply.status == 200, reply.reason


def _answers(reader: Reader, vendor: str) -> None:
    """The view of the page takes a webhook, and the link that it tells of is paid."""
    world, pay = reader.world, reader.names["pay"]
    since = len(world.told(0))
    link = pay.create_link("5.00 EUR", reference="VIEW")
    _ = world.sandbox.control.pay(link.current.url)
    for call in [call for call in world.told(since) if call.provider == vendor]:
        request = SimpleNamespace(
            headers=call.headers, get_data=lambda call=call: call.body, query_string=call.query.encode()
        )
        assert reader.names[f"{vendor}_webhook"](request).status == 200

    assert pay.link("VIEW").status is LinkStatus.PAID


def _pay_out(world: World) -> None:
    """A payout at Adyen, and its report as a merchant downloads it."""
    _ = world.sandbox.control.payout("adyen")
    name = "settlement_detail_report_batch_1.csv"
    report = httpx.get(
        f"{world.sandbox.adyen_url}/reports/download/MerchantAccount/SandboxECOM/{name}",
        auth=("report@Company.Atelier", "report-reader"),
        trust_env=False,
    )
    assert report.status_code == 200
    _ = Path(name).write_bytes(report.content)


# What the page says


def test_pages_have_equal_headings() -> None:
    """Whoever knows one page finds the same on the next."""
    expected = [
        "Settings",
        "First link (against the sandbox)",
        "What it supports",
        "Link kinds",
        "Webhooks",
        "Refunds, captures, disputes",
        "Settlements",
        "Quirks",
        "When an answer was lost",
        "Testing",
        "Going live",
    ]

    assert {name: headings(page) for name, page in PAGES.items()} == dict.fromkeys(VENDORS, expected)


def test_tables_are_those_of_the_adapters() -> None:
    """The matrix and each page's table are what `make matrix` writes now; a stale one fails here, and so in CI."""
    assert provider_matrix.stale() == []


@vendors
def test_page_has_every_setting(vendor: str) -> None:
    """Every setting of an adapter stands on its page, and no other."""
    named = {name for row in table_under(PAGES[vendor], "## Settings") for name in coded(row[0])}

    assert named == set(inspect.signature(MADE[vendor]).parameters)


@vendors
def test_settings_shown_are_taken(vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and variables as the page shows them make a whole account."""
    (file,) = blocks_of(PAGES[vendor], "toml")
    beside = [b for b in blocks_of(PAGES[vendor], "console") if b.section == file.section]
    given = _exports("".join(block.text for block in beside).splitlines())
    assert len(given) == 2
    for name, value in given.items():
        monkeypatch.setenv(name, value.replace("44782DEF…", HMAC_KEY).replace("…", "reader"))
    path = tmp_path / "paybylink.toml"
    _ = path.write_text(file.text, "utf-8")
    monkeypatch.setenv("PAYBYLINK_STORE", "none")

    (provider,) = load(path).parts()["providers"]

    assert provider.name == vendor


@pytest.mark.parametrize(
    ("vendor", "events"),
    [("stripe", set(STRIPE_EVENTS)), ("adyen", set(ADYEN_EVENTS))],
    ids=["stripe", "adyen"],
)
def test_page_has_the_events_that_are_read(vendor: str, events: set[str]) -> None:
    """Whoever ticks the events on the page misses none, and none in vain."""
    below = text_of(PAGES[vendor]).partition("\n## Webhooks\n")[2]
    listed = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("- ")]

    assert {name for line in listed for name in coded(line)} == events


def test_every_kind_of_link_is_told_of_on_every_page() -> None:
    """Also where it cannot be had."""
    rows = {name: [row[0] for row in table_under(page, "## Link kinds")] for name, page in PAGES.items()}

    assert rows["stripe"] == rows["adyen"] == rows["mollie"]
    assert len(rows["stripe"]) == 5

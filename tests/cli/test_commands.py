"""Promises about the commands: what they print, what they end with, and that running them again is safe."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from paybylink.cli.program import program
from paybylink.errors import IntegrityBreach

from .cli_given import API_KEY, Terminal, Typed, terminal

ORDER = ("create", "49.90 EUR", "-r", "FA-1", "-d", "Création de logo")
CUSTOMER = ("--name", "Zoé Martin", "--email", "zoe@example.com", "--language", "fr")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    with terminal(tmp_path, monkeypatch) as made:
        yield made


def paid(shop: Terminal, *words: str) -> Typed:
    """An order that was paid, and of which we know."""
    made = shop.type(*ORDER, *words, "--json")
    _ = shop.control.pay(made.json["url"])
    refreshed(shop)
    return made


def refreshed(shop: Terminal) -> None:
    """Ask the provider what was paid, as a host would whose webhooks are lost."""
    from paybylink.client import PayByLink

    with PayByLink.from_env() as pay:
        for link in list(pay.links()):
            _ = pay.refresh(link)


class TestCreate:
    def test_address_stands_alone_on_stdout(self, shop: Terminal) -> None:
        """``url=$(paybylink create …)`` works in a script."""
        made = shop.type(*ORDER)

        assert made.code == 0
        assert made.out.startswith(f"{shop.sandbox.url}/pay/plink_")
        assert len(made.out.split()) == 1
        assert "FA-1: 49.90 EUR, open, payable until" in made.err

    def test_again_prints_the_same_link(self, shop: Terminal) -> None:
        """A script that runs again makes no second link."""
        first, second = shop.type(*ORDER, *CUSTOMER), shop.type(*ORDER, *CUSTOMER)

        assert first.out == second.out
        assert len(shop.control.links()) == 1

    def test_json_is_one_document(self, shop: Terminal) -> None:
        """A program gets exact amounts and the address, and nothing about the customer."""
        made = shop.type(*ORDER, *CUSTOMER, "--kind", "reusable", "--expires-in-days", "7", "--json")

        assert made.json["amount"] == {"minor": 4990, "currency": "EUR", "text": "49.90 EUR"}
        assert (made.json["kind"], made.json["status"], made.json["mode"]) == ("reusable", "open", "test")
        assert made.json["url"].startswith(shop.sandbox.url)
        assert "Zoé" not in made.out
        assert "zoe@" not in made.out

    def test_it_can_be_sent_at_once(self, shop: Terminal) -> None:
        """One command from an order to a mail."""
        made = shop.type(*ORDER, *CUSTOMER, "--send", "email", "--json")

        assert made.json["delivery"]["outcome"] == "accepted"
        assert [mail.recipients for mail in shop.control.mails()] == [("zoe@example.com",)]

    def test_what_became_of_the_mail_is_told_beside_the_address(self, shop: Terminal) -> None:
        """A refused mail does not hide the link, and is code 3."""
        _ = shop.control.fault("mail_refuse_rcpt", status=550)

        made = shop.type(*ORDER, *CUSTOMER, "--send", "email")

        assert made.code == 3
        assert made.out.startswith(shop.sandbox.url)
        assert "email: refused" in made.err

    def test_other_content_is_a_conflict_until_it_may_replace(self, shop: Terminal) -> None:
        """Code 6, the difference by name, and the way out."""
        _ = shop.type(*ORDER)
        other = ("create", "59.90 EUR", "-r", "FA-1", "-d", "Création de logo")

        refused, told = shop.type(*other), shop.type(*other, "--json")
        replaced = shop.type(*other, "--replace")

        assert refused.code == told.code == 6
        assert "differs in amount" in refused.err
        assert "--replace" in refused.err
        assert told.error["code"] == "reference_conflict"
        assert told.error["differences"] == ["amount"]
        assert replaced.code == 0

    @pytest.mark.parametrize(
        ("words", "paths"),
        [
            pytest.param(("create", "49.90", "-r", "A"), ["amount"], id="no currency"),
            pytest.param(("create", "1.234 EUR", "-r", "A"), ["amount"], id="two readings"),
            pytest.param(("create", "0 EUR", "-r", "A"), ["amount"], id="nothing"),
            pytest.param(("create", "10 EUR", "-r", ""), ["reference"], id="no reference"),
            pytest.param(
                ("create", "10 XXX", "-r", "A", "--email", "nobody", "--name", "a\nb"),
                ["amount", "customer.name", "customer.email"],
                id="several at once",
            ),
        ],
    )
    def test_bad_input_names_every_fault_and_sends_nothing(
        self, shop: Terminal, words: tuple[str, ...], paths: list[str]
    ) -> None:
        """Code 2, each fault with its path and its remedy."""
        told, text = shop.type(*words, "--json"), shop.type(*words)

        assert told.code == text.code == 2
        assert [fault["path"] for fault in told.error["faults"]] == paths
        assert all(fault["remedy"] in text.err for fault in told.error["faults"])
        assert shop.control.requests() == []

    def test_wrong_usage(self, shop: Terminal) -> None:
        """A missing option is code 2 as well."""
        assert shop.type("create", "10 EUR").code == 2


class TestSend:
    def test_it_is_sent_once(self, shop: Terminal) -> None:
        """Running it again prints the first delivery."""
        _ = shop.type(*ORDER, *CUSTOMER)

        first, second = shop.type("send", "FA-1", "--json"), shop.type("send", "FA-1", "--json")
        text = shop.type("send", "FA-1")

        assert first.json == second.json
        assert "FA-1  email accepted" in text.out
        assert len(shop.control.mails()) == 1

    def test_second_message_has_a_name(self, shop: Terminal, tmp_path: Path) -> None:
        """``--again KEY`` is the only way to a second mail, and runs again safely too."""
        _ = shop.type(*ORDER, *CUSTOMER)
        pdf = tmp_path / "Facture.pdf"
        _ = pdf.write_bytes(b"%PDF-1.4\n")

        for _ in range(2):
            assert shop.type("send", "FA-1", "--again", "call-17", "--attach", str(pdf)).code == 0

        assert len(shop.control.mails()) == 2

    @pytest.mark.parametrize(
        ("fault", "code", "outcome"),
        [
            pytest.param({"kind": "mail_refuse_rcpt", "status": 550}, 3, "refused", id="refused"),
            pytest.param({"kind": "mail_refuse_rcpt", "status": 451}, 5, "deferred", id="not now"),
            pytest.param({"kind": "mail_cut"}, 4, "unknown", id="no answer"),
        ],
    )
    def test_outcome_decides_the_code(
        self, shop: Terminal, fault: dict[str, Any], code: int, outcome: str
    ) -> None:
        """Refused, not now and unknown are three different things to do next."""
        _ = shop.type(*ORDER, *CUSTOMER)
        _ = shop.control.fault(**fault)

        told = shop.type("send", "FA-1", "--json")

        assert (told.code, told.json["outcome"]) == (code, outcome)

    def test_mail_server_away_is_code_5(self, shop: Terminal) -> None:
        """Nothing was sent; the same command may be run again."""
        _ = shop.type(*ORDER, *CUSTOMER)
        shop.set(SMTP_PORT=str(_closed_port()))

        assert shop.type("send", "FA-1").code == 5

    def test_paid_link_is_not_sent(self, shop: Terminal) -> None:
        """Code 6, and nobody is asked to pay twice."""
        _ = paid(shop, *CUSTOMER)

        told = shop.type("send", "FA-1", "--json")

        assert (told.code, told.error["code"]) == (6, "link_closed")
        assert shop.control.mails() == []

    @pytest.mark.parametrize(
        ("words", "path"),
        [
            pytest.param(("send", "FA-1"), "to", id="no recipient"),
            pytest.param(("send", "FA-1", "--to", "a@b\r\nBcc: c@d.example"), "to", id="line break"),
            pytest.param(
                ("send", "FA-1", "--to", "a@example.com", "--attach", "no.pdf"), "attach", id="no file"
            ),
        ],
    )
    def test_bad_recipient_or_file(self, shop: Terminal, words: tuple[str, ...], path: str) -> None:
        """Code 2, before anything leaves."""
        _ = shop.type(*ORDER)

        told = shop.type(*words, "--json")

        assert told.code == 2
        assert told.error["faults"][0]["path"] == path
        assert shop.control.mails() == []

    def test_unknown_reference(self, shop: Terminal) -> None:
        """The way to find the right one is named."""
        told = shop.type("send", "nothing")

        assert told.code == 2
        assert "`paybylink links` lists them" in told.err


class TestLists:
    def test_links_by_status_without_addresses(self, shop: Terminal) -> None:
        """A listing in a log gives nobody a page to pay; asked for, the addresses are there."""
        made = shop.type(*ORDER).out.strip()
        _ = shop.type("create", "12800 JPY", "-r", "FA-2", "--kind", "reusable")

        listed, asked = shop.type("links"), shop.type("links", "--urls")
        told = shop.type("links", "--status", "open", "--json")

        assert [row["reference"] for row in told.json] == ["FA-2", "FA-1"]
        assert "url" not in told.json[0]
        assert "12800 JPY" in listed.out
        assert made not in listed.out
        assert made in asked.out
        assert shop.type("links", "--status", "paid", "--json").json == []

    def test_payments(self, shop: Terminal) -> None:
        """All, since a day, of one order, or only those that a person should look at."""
        _ = paid(shop)
        today = dt.datetime.now(dt.UTC).date()

        told = shop.type("payments", "--json")
        text = shop.type("payments", "--reference", "FA-1")

        assert [row["reference"] for row in told.json] == ["FA-1"]
        assert told.json[0]["amount"]["text"] == "49.90 EUR"
        assert "succeeded" in text.out
        assert shop.type("payments", "--since", f"{today + dt.timedelta(days=2)}", "--json").json == []
        assert shop.type("payments", "--exceptions", "--json").json == []

    def test_no_colours_where_nobody_looks(self, shop: Terminal) -> None:
        """A pipe gets plain text."""
        _ = shop.type(*ORDER)

        assert "\x1b[" not in shop.type("links").out


class TestChanges:
    def test_part_refund_runs_again_safely(self, shop: Terminal) -> None:
        """A refund is named by its credit note."""
        _ = paid(shop)
        words = ("refund", "FA-1", "--amount", "10.00 EUR", "--as", "AV-1", "--json")

        first, second = shop.type(*words), shop.type(*words)

        assert first.code == 0
        assert first.json["id"] == second.json["id"]
        assert [refund["amount"] for refund in shop.control.refunds()] == [1000]
        assert "10.00 EUR refunded: " in shop.type(*words[:-1]).out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            pytest.param(("--amount", "10.00 EUR"), "name the refund", id="part without a name"),
            pytest.param(("--amount", "60.00 EUR", "--as", "A"), "at most 49.90 EUR", id="too much"),
            pytest.param(("--amount", "10.00 USD", "--as", "A"), "refund in EUR", id="other currency"),
            pytest.param(("--payment", "pi_none"), "no payment with this id", id="other payment"),
        ],
    )
    def test_refund_that_cannot_be(self, shop: Terminal, words: tuple[str, ...], said: str) -> None:
        """Code 2, and no money moves."""
        _ = paid(shop)

        refused = shop.type("refund", "FA-1", *words)

        assert refused.code == 2
        assert said in refused.err
        assert shop.control.refunds() == []

    def test_which_of_two_payments_is_not_guessed(self, shop: Terminal) -> None:
        """A link that many paid needs the payment's id."""
        made = shop.type(*ORDER, "--kind", "reusable", "--json")
        for _ in range(2):
            _ = shop.control.pay(made.json["url"])
        refreshed(shop)
        one = shop.type("payments", "--json").json[1]["id"]

        refused = shop.type("refund", "FA-1")
        done = shop.type("refund", "FA-1", "--payment", one, "--json")

        assert (refused.code, done.code) == (2, 0)
        assert "2 have come" in refused.err
        assert done.json["payment_id"] == one

    def test_nothing_to_refund(self, shop: Terminal) -> None:
        """No money, no refund."""
        _ = shop.type(*ORDER)

        assert shop.type("refund", "FA-1").code == 2

    def test_cancel(self, shop: Terminal) -> None:
        """Closed at the provider for certain; again changes nothing."""
        _ = shop.type(*ORDER)

        first, second = shop.type("cancel", "FA-1", "--json"), shop.type("cancel", "FA-1")

        assert first.json["status"] == "cancelled"
        assert "cancelled" in second.out
        assert [link["active"] for link in shop.control.links()] == [False]

    def test_cancel_after_the_money_came(self, shop: Terminal) -> None:
        """Code 6: money wins."""
        made = shop.type(*ORDER, "--json")
        _ = shop.control.pay(made.json["url"])

        assert shop.type("cancel", "FA-1").code == 6


class TestLater:
    def test_renew_gives_the_order_another_link(self, shop: Terminal) -> None:
        """The old link at the provider is closed, the new one is printed."""
        first = shop.type(*ORDER, "--json").json["url"]

        renewed = shop.type("renew", "FA-1", "--days", "3")
        told = shop.type("renew", "FA-1", "--json")

        assert renewed.out.strip() not in ("", first)
        assert told.json["status"] == "open"
        assert [link["active"] for link in shop.control.links()] == [False, False, True]

    def test_refresh_finds_what_a_lost_webhook_hid(self, shop: Terminal) -> None:
        """The provider is asked, and the money is there."""
        made = shop.type(*ORDER, "--json")
        _ = shop.control.pay(made.json["url"])

        assert shop.type("refresh", "FA-1", "--json").json["status"] == "paid"
        assert "paid" in shop.type("refresh", "FA-1").out


class TestUpkeep:
    def test_export_of_a_period(self, shop: Terminal, tmp_path: Path) -> None:
        """The file is where it was asked for, and its path is on stdout."""
        _ = paid(shop)
        today = dt.datetime.now(dt.UTC).date()
        days = ("--since", f"{today - dt.timedelta(days=1)}", "--until", f"{today + dt.timedelta(days=1)}")

        text = shop.type("export", "fec", *days, "--to", str(tmp_path / "books.txt"))
        told = shop.type("export", "fec", *days, "--to", str(tmp_path), "--json")
        there = shop.type("export", "fec", *days, "--to", str(tmp_path / "books"))

        assert Path(there.out.strip()).parent == tmp_path / "books"
        assert text.out.strip() == str(tmp_path / "books.txt")
        assert (tmp_path / "books.txt").read_bytes().startswith(b"JournalCode\tJournalLib")
        assert (told.json["entries"], told.json["lines"]) == (1, 2)
        assert told.json["debit_minor"] == told.json["credit_minor"] == 4990
        assert Path(told.json["path"]).is_file()

    def test_unknown_format(self, shop: Terminal) -> None:
        """The known ones are named."""
        refused = shop.type("export", "sage", "--since", "2026-01-01", "--until", "2026-12-31")

        assert refused.code == 2
        assert "fec" in refused.err

    def test_run_due(self, shop: Terminal) -> None:
        """One pass, counted."""
        assert shop.type("run-due").out.strip() == "nothing was due"
        assert shop.type("run-due", "--json").json["failed"] == []

    def test_run_due_heals_what_was_cut_and_tells_what_it_could_not(self, shop: Terminal) -> None:
        """A pass with failures is code 9; the next one finishes the work."""
        _ = shop.control.fault("reset_after", "stripe.payment_links.create", times=None)
        _ = shop.type(*ORDER)

        failed = shop.type("run-due")
        shop.control.clear_faults()
        done = shop.type("run-due")

        assert failed.code == 9
        assert "failed, to be tried again: outcome_unknown" in failed.err
        assert (done.code, done.out.strip()) == (0, "1 completed")

    def test_db_upgrade_makes_the_tables_and_then_nothing(self, shop: Terminal) -> None:
        """It may stand in every deployment."""
        first, second = shop.type("db", "upgrade"), shop.type("db", "upgrade", "--json")

        assert "upgraded from nothing to" in first.out
        assert second.json["before"] == second.json["after"]
        assert "already at" in shop.type("db", "upgrade").out

    def test_stateless_has_no_database(self, shop: Terminal) -> None:
        """There is nothing to upgrade without a store."""
        shop.set(STORE="none")

        assert shop.type("db", "upgrade").code == 2
        assert shop.type("links").code == 2
        assert shop.type("serve", "--port", "0").code == 2
        assert shop.type(*ORDER).code == 0


class TestExits:
    def test_refusal_is_code_3(self, shop: Terminal) -> None:
        """The provider said no; its code and request are told, the key is not."""
        _ = shop.control.fault("status", "stripe.payment_links.create", status=401, times=None)

        told, text = shop.type(*ORDER, "--json"), shop.type(*ORDER)

        assert told.code == text.code == 3
        assert told.error["code"] == "provider_refused"
        assert told.error["request_id"].startswith("req_")
        assert told.error["request_id"][:4] in text.err

    def test_lost_answer_is_code_4_and_the_same_command_heals_it(self, shop: Terminal) -> None:
        """Unknown is not failed: run again, and there is one link."""
        _ = shop.control.fault("reset_after", "stripe.payment_links.create", times=None)
        lost = shop.type(*ORDER)
        shop.control.clear_faults()

        healed = shop.type(*ORDER)

        assert lost.code == 4
        assert "Run the same command again" in lost.err
        assert healed.code == 0
        assert len(shop.control.links()) == 1

    def test_answer_that_is_not_believed_is_code_7(
        self, shop: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An integrity breach has a code of its own."""
        from paybylink.client import PayByLink

        def refuse(*_: object, **__: object) -> None:
            raise IntegrityBreach("stripe", {"amount": "is another one"})

        monkeypatch.setattr(PayByLink, "create_link", refuse)

        assert shop.type(*ORDER).code == 7

    def test_unreachable_provider_is_code_5(self, shop: Terminal) -> None:
        """Surely nothing was sent, and the way on is named."""
        shop.set(STRIPE_BASE_URL=f"http://127.0.0.1:{_closed_port()}")

        told, text = shop.type(*ORDER, "--json"), shop.type(*ORDER)

        assert told.code == text.code == 5
        assert told.error["code"] == "not_sent"
        assert "Run the same command again" in text.err

    def test_settings_are_code_2(self, shop: Terminal, tmp_path: Path) -> None:
        """The path of the setting is told, its value is not."""
        file = tmp_path / "shop.toml"
        _ = file.write_text(f'[[providers]]\ntype = "stripe"\napi_kee = "{API_KEY}"\n', "utf-8")

        told = shop.type("--settings", str(file), *ORDER, "--json")

        assert told.code == 2
        assert told.error["faults"][0]["path"] == "providers[0].api_kee"

    def test_outdated_database_is_code_8(self, shop: Terminal) -> None:
        """The command that helps is named."""
        import sqlite3

        _ = shop.type(*ORDER)
        with sqlite3.connect(shop.folder / "shop.db") as raw:
            _ = raw.execute("UPDATE paybylink_alembic_version SET version_num = '0000'")
        raw.close()

        told = shop.type("links")

        assert told.code == 8
        assert "paybylink db upgrade" in told.err

    def test_exit_codes_stand_in_the_help(self, shop: Terminal) -> None:
        """Nobody has to read the source for them."""
        told = " ".join(shop.type("--help").out.split())

        assert "4 outcome unknown: run the same command again" in told
        for name in (
            "create",
            "send",
            "links",
            "payments",
            "refund",
            "cancel",
            "export",
            "serve",
            "demo",
            "doctor",
        ):
            assert name in told

    def test_every_command_has_help_and_json(self, shop: Terminal) -> None:
        """Each command explains itself; each that prints something prints JSON too."""
        for words in (
            ("create",), ("send",), ("links",), ("payments",), ("refund",), ("cancel",), ("export",),
            ("serve",), ("demo",), ("doctor",), ("run-due",), ("db", "upgrade"),
        ):  # fmt: skip
            told = shop.type(*words, "--help")

            assert told.code == 0
            assert "--json" in told.out, words

    def test_version(self, shop: Terminal) -> None:
        """``--version`` prints it."""
        assert shop.type("--version").out.strip().count(".") == 2

    def test_no_command_prints_the_help(self) -> None:
        """A newcomer sees what there is."""
        assert "create" in CliRunner().invoke(program, []).output


def _closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Promises about the package's door: what it offers, that both clients are one, and how little it loads."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import paybylink
from paybylink.client import AsyncLentPayByLink, AsyncPayByLink, LentPayByLink, PayByLink

#: What only the awaiting client calls by another name.
TWINS = {"close": "aclose", "__enter__": "__aenter__", "__exit__": "__aexit__"}
USUAL = "from paybylink import Customer, LineItem, Money, Order, PayByLink, SingleUse, create_link"
HEAVY = (
    "httpx",
    "pydantic",
    "pydantic_settings",
    "sqlalchemy",
    "alembic",
    "stripe",
    "typer",
    "starlette",
    "jinja2",
)


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after `statement`."""
    script = f"import sys\n{statement}\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


class TestNames:
    def test_list_is_sorted_and_has_no_double(self) -> None:
        """Case does not matter to a reader who looks for a name."""
        assert list(paybylink.__all__) == sorted(set(paybylink.__all__), key=str.lower)

    @pytest.mark.parametrize("name", paybylink.__all__)
    def test_every_name_is_there(self, name: str) -> None:
        """Each name is loaded on its first use, is kept, and knows what it is."""
        value = getattr(paybylink, name)

        assert value is getattr(paybylink, name)
        assert inspect.getdoc(value)
        assert value.__module__.startswith("paybylink.")

    def test_list_is_complete(self) -> None:
        """What the checkers see, what is loaded and what is listed are the same names."""
        tree = ast.parse(Path(paybylink.__file__).read_text("utf-8"))
        seen = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names
        }
        homes = {name for names in paybylink._HOMES.values() for name in names}

        assert set(paybylink.__all__) == homes == seen
        assert {*paybylink.__all__, "__version__"} == set(dir(paybylink))

    def test_checkers_and_the_loader_look_in_the_same_place(self) -> None:
        """A name has one home."""
        for home, names in paybylink._HOMES.items():
            module = import_module(f"paybylink.{home}")
            for name in names:
                assert getattr(module, name) is getattr(paybylink, name)

    def test_unknown_name(self) -> None:
        """A slip of the pen is an AttributeError, as everywhere."""
        with pytest.raises(AttributeError, match="PayByLnk"):
            _ = paybylink.PayByLnk

    def test_version_is_that_of_the_distribution(self) -> None:
        """It is asked for only when somebody wants it."""
        assert re.fullmatch(r"\d+\.\d+\.\d+\S*", str(paybylink.__version__))


def blocking(annotation: object) -> str:
    """An annotation as the blocking client writes it."""
    text = str(annotation)
    text = re.sub(r"\bAsyncIterator\b", "Iterator", text)
    return re.sub(r"\bAsync(?=[A-Z])", "", text)


def public(client: type) -> set[str]:
    """The public methods of a client, with those that make it a context manager."""
    names = {name for name, _ in inspect.getmembers(client, inspect.isroutine) if not name.startswith("_")}
    names |= {name for name in (*TWINS, *TWINS.values(), "__init__") if name in vars(client)}
    return names


PAIRS = [
    pytest.param(PayByLink, AsyncPayByLink, id="PayByLink"),
    pytest.param(LentPayByLink, AsyncLentPayByLink, id="LentPayByLink"),
]


class TestTwins:
    @pytest.mark.parametrize(("sync", "awaiting"), PAIRS)
    def test_same_names(self, sync: type, awaiting: type) -> None:
        """Whoever knows one client knows the other."""
        assert {TWINS.get(name, name) for name in public(sync)} == public(awaiting)

    @pytest.mark.parametrize(("sync", "awaiting"), PAIRS)
    def test_same_signatures(self, sync: type, awaiting: type) -> None:
        """Parameters, defaults, kinds and annotations agree, but for what is awaited."""
        for name in sorted(public(sync)):
            ours = inspect.signature(getattr(sync, name))
            theirs = inspect.signature(getattr(awaiting, TWINS.get(name, name)))

            assert list(ours.parameters) == list(theirs.parameters), name
            for parameter, twin in zip(ours.parameters.values(), theirs.parameters.values(), strict=True):
                assert parameter.kind == twin.kind, (name, parameter.name)
                assert getattr(parameter.default, "__name__", parameter.default) == getattr(
                    twin.default, "__name__", twin.default
                ), (name, parameter.name)
                if (name, parameter.name) != ("using", "connection"):
                    assert blocking(parameter.annotation) == blocking(twin.annotation), (name, parameter.name)
            assert blocking(ours.return_annotation) == blocking(theirs.return_annotation), name

    @pytest.mark.parametrize(("sync", "awaiting"), PAIRS)
    def test_everything_after_the_subject_is_keyword_only(self, sync: type, awaiting: type) -> None:
        """A call reads like a sentence: one subject, and every option by its name."""
        for client in (sync, awaiting):
            for name in public(client) - {"on", "__init__", *TWINS, *TWINS.values()}:
                parameters = [
                    p
                    for p in inspect.signature(getattr(client, name)).parameters.values()
                    if p.name != "self"
                ]
                positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

                assert len(positional) <= 1, (client.__name__, name, positional)

    def test_lists_are_iterators_of_their_client(self) -> None:
        """A long list is read page by page, with ``for`` or with ``async for``."""
        for name in ("links", "payments", "exceptions"):
            assert inspect.isgeneratorfunction(getattr(PayByLink, name))
            assert inspect.isasyncgenfunction(getattr(AsyncPayByLink, name))


class TestWeight:
    def test_door_loads_nothing(self) -> None:
        """``import paybylink`` loads neither attrs nor anything else that costs."""
        loaded = loaded_by("import paybylink")

        assert "paybylink" in loaded
        assert not loaded & {*HEAVY, "attr", "attrs", "typing", "datetime", "enum", "decimal"} - loaded_by(
            "pass"
        )

    def test_usual_names_load_no_library_but_attrs(self) -> None:
        """The first line of a script pays for nothing that it may never use."""
        loaded = loaded_by(USUAL)

        assert "attr" in loaded
        assert not loaded & set(HEAVY)

    def test_making_a_stateless_client_loads_no_database(self) -> None:
        """A script without a store never pays for one before it calls."""
        loaded = loaded_by(
            "from paybylink import PayByLink\nfrom paybylink.providers.stripe import StripeProvider\n"
            "PayByLink(providers=[StripeProvider('sk_test_x0x')], store=None)"
        )

        assert not loaded & {"sqlalchemy", "alembic", "pydantic", "typer", "starlette"}

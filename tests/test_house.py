"""
The floors of the house: every import under `src/paybylink`, read by `ast`, goes down and never up.

Rule 1: the ground imports nothing of ours but ground, and nothing foreign but attrs.
Rule 2: `flow` knows the ground; `drivers` knows `flow` and the ground.
Rule 3: an adapter knows its room's interfaces and the floors below, never another adapter, and no interface
        knows an adapter.
Rule 4: `accounting` and `documents` know values only, that is the ground and themselves.
Rule 5: `workflows` import interfaces only; concrete adapters are named by `settings` and the faces alone.
Rule 6: nothing imports the roof (`settings`, `journeys`, `client`, `quick`) or a face but these themselves, and
        a name is imported from the module that holds it, since the package's own door opens onto the roof.
Rule 7: a vendor's SDK is imported below that vendor's folder and nowhere else.
Rule 8: no module is called utils, helpers, manager or misc.

Imports inside functions, under `TYPE_CHECKING` and through `import_module("…")` count as well. The contracts
in `.importlinter` guard the same floors against chains of imports; this test needs no tool installed and says
which line breaks which rule.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen

SOURCE = Path(__file__).parent.parent / "src" / "paybylink"

GROUND = {
    *(
        "errors",
        "checks",
        "money",
        "currencies",
        "lines",
        "address",
        "checkout",
        "orders",
        "kinds",
        "links",
        "payments",
        "standing",
    ),
    *("messages", "events", "identifiers"),
}
FIRST = {"flow", "drivers"}
SECOND = {"providers", "channels", "store", "accounting", "documents"}
ROOF = {"settings", "journeys", "client", "quick"}
FACES = {"web", "sandbox", "cli", "testing", "integrations"}
ROOMS = GROUND | FIRST | SECOND | {"workflows"} | ROOF | FACES

#: What stands in a room for all its adapters; every other child of the room is an adapter.
INTERFACES = {
    "providers": {
        *("base", "exchange", "accounts"),
        *("capabilities", "codes", "methods", "notices", "settlement"),
    },
    "channels": {"base", "wording", "share", "addresses", "qr"},
    "accounting.exports": {"base"},
}
#: The parts of `store` that a journey may know: statements and values, never what runs them.
STORE_INTERFACE = {"base", "queries", "records", "rows", "tables"}
SDKS = {"stripe": "providers.stripe", "Adyen": "providers.adyen", "mollie": "providers.mollie"}
UGLY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "misc"}


@frozen
class Import:
    """
    One import.

    Attributes:
        source: the importing module below the package, e.g. ``providers.stripe._sdk``; empty for its door.
        target: the imported module; of ours with a leading ``paybylink``.
        line: where it stands.
    """

    source: str
    target: str
    line: int

    @property
    def ours(self) -> bool:
        """Whether it stays inside the package."""
        return self.target.partition(".")[0] == "paybylink"

    @property
    def inner(self) -> str:
        """The imported module below the package; empty for the package's door."""
        return self.target.partition(".")[2]


def module_name(path: Path, package: Path) -> str:
    """``paybylink.…`` for a file below `package`."""
    parts = ["paybylink", *path.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, package: Path, modules: set[str]) -> Iterator[Import]:
    """Every import of one file; ``from a import b`` counts as ``a.b`` where that is a module."""
    name = module_name(path, package)
    source = name.partition(".")[2]
    home = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(source, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = ".".join(home.split(".")[: len(home.split(".")) - node.level + 1])
                base = f"{above}.{base}" if base else above
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(source, full if full in modules else base, node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0] if node.args else None
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                named = str(first.value)
                if not named.startswith("."):
                    yield Import(source, named, node.lineno)


def room_of(module: str) -> str:
    """The room of a module below the package."""
    return module.partition(".")[0]


def adapter_of(module: str) -> str | None:
    """The adapter that a module belongs to, e.g. ``providers.stripe``; None where there is none."""
    for room, shared in INTERFACES.items():
        if module.startswith(f"{room}."):
            child = module[len(room) + 1 :].partition(".")[0]
            return None if child in shared else f"{room}.{child}"
    return None


def fault_of(found: Import) -> str | None:
    """The rule that an import breaks, in words; None when it breaks none."""
    source, room = found.source, room_of(found.source)
    if not found.ours:
        top = found.target.partition(".")[0]
        if top in SDKS and not f"{source}.".startswith(f"{SDKS[top]}."):
            return f"rule 7: the SDK {top} belongs to {SDKS[top]}"
        if room in GROUND and top not in {"attr", "attrs"} and top not in sys.stdlib_module_names:
            return f"rule 1: the ground imports {top}"
        return None
    target = found.inner
    to = room_of(target)
    if room == "" or room in FACES:
        return None
    if to == "":
        return "rule 6: imports from the package's door, not from the module that holds the name"
    if room in ROOF:
        if to in FACES:
            return f"rule 6: the roof imports the face {to}"
        if adapter_of(target) and room != "settings":
            return f"rule 5: {room} names the adapter {adapter_of(target)}"
        return None
    if to in ROOF | FACES:
        return f"rule 6: imports {to}, which stands above it"
    if room in GROUND:
        return None if to in GROUND else f"rule 1: the ground imports {to}"
    if room in FIRST:
        allowed = GROUND | ({"flow"} if room == "drivers" else set())
        return None if to in allowed | {room} else f"rule 2: {room} imports {to}"
    if room in {"accounting", "documents"} and to not in GROUND | {room}:
        return f"rule 4: {room} knows values only and imports {to}"
    if room == "workflows":
        return _fault_of_workflow(target)
    theirs, mine = adapter_of(target), adapter_of(source)
    if theirs and theirs != mine:
        return f"rule 3: {mine or source or 'the room'} imports the adapter {theirs}"
    if to == "workflows":
        return f"rule 3: {room} imports workflows, which stand above it"
    # The store writes down the entries of its neighbour.
    kept = room == "store" and to == "accounting"
    if to in SECOND and to != room and not kept:
        return f"rule 3: {room} imports its neighbour {to}"
    return None


def _fault_of_workflow(target: str) -> str | None:
    if adapter_of(target):
        return f"rule 5: workflows name the adapter {adapter_of(target)}"
    if room_of(target) == "drivers":
        return "rule 5: workflows import drivers; a flow yields and never drives"
    if target.startswith("store.") and target.split(".")[1] not in STORE_INTERFACE:
        return f"rule 5: workflows import {target}, which is no interface of the store"
    return None


def breaches(package: Path) -> list[str]:
    """Every breach below `package`, as ``file:line: rule``; an empty list when the house stands."""
    files = sorted(package.rglob("*.py"))
    modules = {module_name(path, package) for path in files}
    found: list[str] = []
    for path in files:
        shown = path.relative_to(package)
        inner = module_name(path, package).partition(".")[2]
        if path.stem in UGLY_NAMES or (path.stem == "__init__" and path.parent.name in UGLY_NAMES):
            found.append(f"{shown}:1: rule 8: {inner} says nothing about what it holds")
        if inner and room_of(inner) not in ROOMS:
            found.append(
                f"{shown}:1: rule 1: {room_of(inner)} stands on no floor; name its floor in this test"
            )
        faults = {(one.line, fault_of(one)) for one in imports_of(path, package, modules)}
        found.extend(f"{shown}:{line}: {fault}" for line, fault in sorted(faults, key=str) if fault)
    return found


GOOD: Mapping[str, str] = {
    "__init__.py": "from .client import PayByLink\n",
    "errors.py": "import attrs\nif TYPE_CHECKING:\n    from .links import Link\n",
    "links.py": "from .errors import Fault\n",
    "flow.py": "import httpx\nfrom .errors import Fault\n",
    "drivers.py": "from .flow import Flow\nfrom . import errors\n",
    "providers/__init__.py": "",
    "providers/base.py": "from ..flow import Call\nfrom ..links import Link\n",
    "providers/exchange.py": "from .base import Provider\n",
    "providers/stripe/__init__.py": "from ._provider import StripeProvider\n",
    "providers/stripe/_provider.py": "import stripe\nfrom ..base import X\nfrom ...links import Y\n",
    "providers/mollie/__init__.py": "from ..exchange import exchange\n",
    "store/__init__.py": "from .queries import reserve\n",
    "store/queries.py": "import sqlalchemy\nfrom ..accounting.entries import Entry\n",
    "store/records.py": "from ..flow import Written\n",
    "store/vaults.py": "from ..flow import Batch\n",
    "accounting/__init__.py": "",
    "accounting/entries.py": "from ..links import Link\n",
    "accounting/exports/fec.py": "from ..entries import Entry\n",
    "workflows/__init__.py": "",
    "workflows/issue.py": "from ..providers.base import Provider\nfrom ..store import queries\n",
    "settings.py": "from .providers.stripe import StripeProvider\n",
    "client.py": "from .settings import Settings\nfrom .workflows import issue\n",
    "cli/__init__.py": "from .. import PayByLink\nfrom ..providers.stripe import StripeProvider\n",
}


def build(root: Path, files: Mapping[str, str]) -> Path:
    """A made-up package in `root`; its path."""
    package = root / "paybylink"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _ = path.write_text(text, "utf-8")
    return package


def test_no_import_breaks_a_floor() -> None:
    """The library keeps the floors of its design."""
    assert breaches(SOURCE) == []


def test_library_is_read_at_all() -> None:
    """The test looks at the real package, not at an empty folder."""
    read = {module_name(path, SOURCE) for path in SOURCE.rglob("*.py")}

    assert {"paybylink.errors", "paybylink.money", "paybylink.orders"} <= read


def test_house_that_stands_has_no_breach(tmp_path: Path) -> None:
    """What the rules allow is not reported."""
    assert breaches(build(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        pytest.param("links.py", "from .flow import Flow", "rule 1: the ground imports flow", id="ground-up"),
        pytest.param("money.py", "import httpx", "rule 1: the ground imports httpx", id="ground-foreign"),
        pytest.param(
            "money.py",
            "from .providers import base",
            "rule 1: the ground imports providers",
            id="ground-second",
        ),
        pytest.param("flow.py", "from .drivers import run", "rule 2: flow imports drivers", id="flow-drives"),
        pytest.param(
            "drivers.py", "from .store.vaults import V", "rule 2: drivers imports store", id="drivers-store"
        ),
        pytest.param(
            "providers/base.py",
            "from .stripe import X",
            "imports the adapter providers.stripe",
            id="base-adapter",
        ),
        pytest.param(
            "providers/mollie/_mapping.py",
            "from ..stripe._mapping import X",
            "rule 3: providers.mollie imports the adapter providers.stripe",
            id="adapter-adapter",
        ),
        pytest.param(
            "channels/smtp.py",
            "from ..providers.base import X",
            "rule 3: channels imports its neighbour",
            id="neighbour",
        ),
        pytest.param(
            "store/base.py", "from ..workflows import issue", "which stand above it", id="second-up"
        ),
        pytest.param(
            "accounting/booking.py",
            "from ..store import queries",
            "rule 4: accounting",
            id="accounting-store",
        ),
        pytest.param(
            "accounting/booking.py", "from ..flow import Flow", "rule 4: accounting", id="accounting-flow"
        ),
        pytest.param(
            "documents/stamp.py", "from ..channels.base import X", "rule 4: documents", id="documents-channel"
        ),
        pytest.param(
            "workflows/refund.py",
            "def f():\n    from paybylink.providers.stripe import S",
            "rule 5: workflows name the adapter providers.stripe",
            id="workflow-adapter-in-function",
        ),
        pytest.param(
            "workflows/refund.py",
            "from ..store.vaults import V",
            "no interface of the store",
            id="workflow-vault",
        ),
        pytest.param(
            "workflows/refund.py",
            "from ..drivers import run",
            "rule 5: workflows import drivers",
            id="workflow-driver",
        ),
        pytest.param(
            "workflows/refund.py", "from ..client import P", "rule 6: imports client", id="workflow-roof"
        ),
        pytest.param(
            "orders.py",
            "import importlib\nimportlib.import_module('paybylink.settings')",
            "rule 6: imports settings",
            id="roof-by-name",
        ),
        pytest.param(
            "flow.py", "from paybylink import Money", "rule 6: imports from the package's door", id="door"
        ),
        pytest.param(
            "client.py", "from .web import app", "rule 6: the roof imports the face web", id="roof-face"
        ),
        pytest.param(
            "client.py",
            "from .providers.stripe import S",
            "rule 5: client names the adapter",
            id="client-adapter",
        ),
        pytest.param("cli/__init__.py", "import stripe", "rule 7: the SDK stripe", id="sdk-in-face"),
        pytest.param(
            "providers/stripe2.py", "import stripe.error", "rule 7: the SDK stripe", id="sdk-next-door"
        ),
        pytest.param("channels/utils.py", "", "rule 8: channels.utils", id="utils"),
        pytest.param("store/helpers/__init__.py", "", "rule 8: store.helpers", id="helpers-folder"),
        pytest.param("attic.py", "", "attic stands on no floor", id="no-floor"),
    ],
)
def test_breach_is_found_and_named(tmp_path: Path, file: str, line: str, expected: str) -> None:
    """Each broken rule is reported with its file, so none of them is a rule in name only."""
    found = breaches(build(tmp_path, {**GOOD, file: line + "\n"}))

    assert len(found) == 1, found
    assert expected in found[0]
    assert found[0].startswith(f"{file}:")

"""
The tables of what each provider can do, made from the adapters' `CAPABILITIES`.

    python -m tests.examples.provider_matrix           say whether the pages are up to date
    python -m tests.examples.provider_matrix --write   write them (`make matrix`)

One table compares all providers (`docs/providers/index.md`), one stands on each provider's own page. They are written
between two comments and nowhere else. An account's settings may add a feature (Adyen's report user, Mollie's access
token); then the cell is that of the fuller account, and its note says what the other one lacks.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Final

from paybylink.providers.adyen import AdyenProvider
from paybylink.providers.base import Capabilities, Capability, Feature
from paybylink.providers.mollie import MollieProvider
from paybylink.providers.stripe import StripeProvider

ROOT: Final = Path(__file__).parents[2]
BEGIN: Final = "<!-- made by `make matrix` from the adapters: begin -->"
END: Final = "<!-- made by `make matrix` from the adapters: end -->"

_STRIPE: Final = StripeProvider("sk_test_matrix")
_KEY: Final = "no_key_at_all"
#: Name → title, what any account can do, and what one with every setting can.
VENDORS: Final[dict[str, tuple[str, Capabilities, Capabilities]]] = {
    "stripe": ("Stripe", _STRIPE.capabilities, _STRIPE.capabilities),
    "adyen": (
        "Adyen",
        AdyenProvider(_KEY, merchant_account="Matrix").capabilities,
        AdyenProvider(
            _KEY, merchant_account="Matrix", report_user="reports", report_password="matrix"
        ).capabilities,
    ),
    "mollie": (
        "Mollie",
        MollieProvider("test_matrix").capabilities,
        MollieProvider("access_matrix", profile_id="pfl_matrix", testmode=True).capabilities,
    ),
}


def meanings() -> dict[str, str]:
    """Feature → what stands beside it in the code."""
    return dict(re.findall(r'^    [A-Z_]+ = "(\w+)"  #: (.+)$', inspect.getsource(Feature), re.MULTILINE))


def cell(vendor: str, feature: Feature) -> Capability:
    """What a provider can do at most; `how` also says what an account without the setting lacks."""
    _, least, most = VENDORS[vendor]
    if least[feature] == most[feature]:
        return most[feature]
    lacking = f"otherwise {least[feature].support}: {least[feature].how}"
    return Capability(most[feature].support, "; ".join(part for part in (most[feature].how, lacking) if part))


def plain(text: str) -> str:
    """Text as Markdown shows it in a table, letter by letter."""
    text = text.replace("\\", "\\\\").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_|`])", r"\\\1", text)


def page_table(vendor: str) -> str:
    """The table of one provider's own page."""
    rows = ["| feature | support | how, or why not |", "|---|---|---|"]
    for feature in Feature:
        can = cell(vendor, feature)
        rows.append(f"| `{feature}` | {can.support} | {plain(can.how)} |".replace("|  |", "| |"))
    return "\n".join(rows)


def matrix() -> str:
    """The table of all providers, with its notes."""
    titles = [f"[{title}]({name}.md)" for name, (title, _, _) in VENDORS.items()]
    rows = [f"| feature | what it is | {' | '.join(titles)} |", f"|---|---|{'---|' * len(titles)}"]
    notes: list[str] = []
    told = meanings()
    for feature in Feature:
        cells = []
        for name, (title, _, _) in VENDORS.items():
            can = cell(name, feature)
            mark = f"{name}-{feature.replace('_', '-')}"
            cells.append(f"{can.support}[^{mark}]" if can.how else str(can.support))
            if can.how:
                notes.append(f"[^{mark}]: {title}, `{feature}`: {plain(can.how)}.")
        rows.append(f"| `{feature}` | {plain(told[feature])} | {' | '.join(cells)} |")
    return "\n".join([*rows, "", *notes])


def expected() -> dict[Path, str]:
    """Each page as it should be."""
    tables = {f"docs/providers/{name}.md": page_table(name) for name in VENDORS}
    tables["docs/providers/index.md"] = matrix()
    return {ROOT / page: _with(ROOT / page, table) for page, table in tables.items()}


def stale() -> list[str]:
    """The pages that do not say what the adapters say."""
    wanted = expected()
    return [str(path.relative_to(ROOT)) for path, text in wanted.items() if path.read_text("utf-8") != text]


def _with(path: Path, table: str) -> str:
    """A page with `table` between its two comments."""
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path.name} has no place for a table: write {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main(words: list[str]) -> int:
    """The exit code: 0 when the pages are up to date, or are now."""
    if words == ["--write"]:
        for path, text in expected().items():
            _ = path.write_text(text, "utf-8")
        return 0
    if words:
        _ = sys.stderr.write("usage: python -m tests.examples.provider_matrix [--write]\n")
        return 2
    for page in stale():
        _ = sys.stderr.write(f"{page} is stale: run `make matrix`\n")
    return 1 if stale() else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

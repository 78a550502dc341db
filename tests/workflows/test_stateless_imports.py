"""A promise about what is loaded: whoever has no store waits for no database library."""

from __future__ import annotations

import subprocess
import sys


def test_journeys_without_a_store_load_no_database_library() -> None:
    """Importing it would take longer than everything else of a script's first link."""
    code = "import paybylink.workflows.stateless, sys; print('sqlalchemy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert told.stdout.strip() == "False"

from __future__ import annotations

from workflows.conftest import no_faults_left, world

__all__ = ["no_faults_left", "world"]

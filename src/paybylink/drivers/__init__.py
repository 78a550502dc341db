"""
The only two places where a journey meets the world: `run` and `arun`.

Timeouts, the overall deadline, retries with the same bytes, redaction and logging live here once, for every
provider, channel and store alike.
"""

from .doors import AsyncDoors, Doors
from .http import Patience
from .run import arun, run

__all__ = ["arun", "AsyncDoors", "Doors", "Patience", "run"]

"""
What a host needs to test against the library: a movable clock, and a hand that drives a flow.

`paybylink.testing.strategies` has Hypothesis strategies for the values; it is imported on its own, since it needs
the extra ``paybylink[test]``.
"""

from .clock import Clock
from .script import Played, name_of, script

__all__ = ["Clock", "name_of", "Played", "script"]

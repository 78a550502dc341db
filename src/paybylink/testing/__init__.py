"""
What a host needs to test against the library: a movable clock, a hand that drives a flow, and the suite that every
provider passes.

`paybylink.testing.strategies` has Hypothesis strategies for the values; it is imported on its own, since it needs
the extra ``paybylink[test]``.
"""

from .clock import Clock
from .conformance import Finding, ProviderConformance, Report, examine
from .provider_hooks import Alteration, How, Webhook
from .script import Played, name_of, script

__all__ = [
    "Alteration",
    "Clock",
    "examine",
    "Finding",
    "How",
    "name_of",
    "Played",
    "ProviderConformance",
    "Report",
    "script",
    "Webhook",
]

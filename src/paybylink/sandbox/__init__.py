"""
The sandbox: payment providers, their hosted pages and a mailbox, on this machine, without an account.

    with Sandbox() as sandbox:
        client = StripeClient("sk_test_anything", base_addresses={"api": sandbox.stripe_url})
        …
        sandbox.control.pay(link.url)

It is the other end of the wire: state that survives a kill, signed webhooks, a mail server, a clock that can be
moved, and faults on demand. No real money moves and nothing leaves this machine.
"""

from paybylink.sandbox.app import Sandbox, SandboxApp, sandbox_app
from paybylink.sandbox.control import Attempt, LoggedRequest, Mail, SandboxControl, SandboxError
from paybylink.sandbox.engine import Engine
from paybylink.sandbox.faults import Fault

__all__ = [
    "Attempt",
    "Engine",
    "Fault",
    "LoggedRequest",
    "Mail",
    "Sandbox",
    "sandbox_app",
    "SandboxApp",
    "SandboxControl",
    "SandboxError",
]

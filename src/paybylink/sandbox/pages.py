"""
The sandbox's pages: Jinja2 templates, escaped throughout, one style sheet inside, no script.

Each page carries a policy of its own that allows nothing but that style sheet and the forms it shows, so a
description or a mail with markup in it stays what it is: text.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "style.css").read_text("utf-8").strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["style"] = _STYLE


def page(
    template: str, *, status: int = 200, form_action: str = "'self'", frames: str = "'none'", **values: object
) -> HTMLResponse:
    """
    One page.

    Args:
        template: the file in ``templates``.
        form_action: where its forms may lead; browsers count the redirect after a form as well.
        frames: what it may frame.
    """
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self' data:; form-action {form_action};"
        f" frame-src {frames}; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(**values), status, headers)

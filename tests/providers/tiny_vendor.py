"""
The vendor behind the tiny provider, in memory: rows under paths, keys that remember, and messages that are signed.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
from attrs import define, field

from paybylink.testing import How, Webhook

from .tiny_provider import signature

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_BEGINS = {"links": "open", "refunds": "succeeded"}
_PAID = {How.CARD: "succeeded", How.DELAYED: "processing", How.DECLINED: "failed"}


@define
class TinyVendor:
    """
    Everything of one account.

    Attributes:
        rows: what it holds, by path, e.g. ``/links/li1``.
        replies: what it answered, by idempotency key.
        told: the webhooks it has sent.
    """

    rows: dict[str, dict[str, Any]] = field(factory=dict)
    replies: dict[str, dict[str, Any]] = field(factory=dict)
    told: list[Webhook] = field(factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request."""
        path, key = request.url.path, request.headers["Idempotency-Key"]
        asked = dict(request.url.params)
        if key in self.replies:
            answer = self.replies[key]
        elif request.method == "POST":
            content = json.loads(request.content)
            answer = self.change(path, **content) if path in self.rows else self.put(path[1:], **content)
            self.replies[key] = dict(answer)
        elif path.count("/") == 2:
            answer = self.rows.get(path, {})
        else:
            under = [row for place, row in self.rows.items() if place.startswith(f"{path}/")]
            answer = {"data": [row for row in under if asked.items() <= row.items()]}
        return httpx.Response(200 if answer else 404, json=answer, request=request)

    def put(self, kind: str, **content: Any) -> dict[str, Any]:
        """A new row of a kind, e.g. ``links``."""
        name = f"{kind[:2]}{len(self.rows)}"
        made = {"id": name, "mode": "test", "at": NOW.isoformat(), "url": f"https://tiny.example/{name}"}
        self.rows[f"/{kind}/{name}"] = {"state": _BEGINS.get(kind, "open"), **made, **content}
        return self.rows[f"/{kind}/{name}"]

    def change(self, path: str, **content: Any) -> dict[str, Any]:
        """A row with other content; payments are told."""
        self.rows[path] |= content
        _, kind, _ = path.split("/")
        if kind == "payments":
            self.tell(kind, self.rows[path])
        return self.rows[path]

    def pay(self, link_id: str, how: How) -> dict[str, Any]:
        """The payment of a link by its payer."""
        link = self.rows[f"/links/{link_id}"]
        known = {name: link[name] for name in ("link", "attempt", "amount", "currency")}
        payment = self.put("payments", of=link_id, **known)
        return self.change(f"/payments/{payment['id']}", state=_PAID[how])

    def settle(self, link_id: str, *, succeeded: bool) -> None:
        """The delayed payments of a link come, or do not."""
        for path, row in self.rows.items():
            if row.get("of") == link_id and row["state"] == "processing":
                _ = self.change(path, state="succeeded" if succeeded else "failed")

    def tell(self, kind: str, row: dict[str, Any]) -> None:
        """Send a signed message about a row."""
        body = json.dumps({"id": f"ev{len(self.told)}", "kind": kind, "row": row}).encode()
        headers = {"tiny-signature": signature("tiny-secret", body).decode()}
        self.told.append(Webhook(headers=headers, body=body))

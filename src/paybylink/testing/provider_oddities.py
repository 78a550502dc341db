"""
Messages that no vendor sends and that anybody may: odd bytes, and genuine messages with one part changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from .provider_hooks import Webhook

#: Bodies that no vendor sends and anybody may.
ODD_BODIES: Final = (
    b"",
    b" ",
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"{}",
    b"[[]]",
    b'{"id": null}',
    b"id=",
    b"id=%00&id=2",
    b"\xff\xfe\x00\x00",
    b"\x00" * 64,
    b'{"a": "\\ud800"}',
    b'{"a": NaN, "b": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 50_000,
)
#: What stands in place of each part of a genuine message.
ODD_VALUES: Final[Sequence[object]] = (None, True, -1, 10**30, 0.5, "", "odd", "\ud800", [], {}, [None])

_LEFT_OUT: Final = object()
#: What kind of event a message is decides how it is read.
_KINDS: Final = ("type", "kind", "eventCode", "object")


def different(sent: Sequence[Webhook]) -> Sequence[Webhook]:
    """One message of each shape, since the others would be read the same way."""
    shapes: dict[str, Webhook] = {}
    for webhook in sent:
        try:
            shape = str(_shape(json.loads(webhook.body)))
        except ValueError:
            shape = "no JSON"
        _ = shapes.setdefault(shape, webhook)
    return list(shapes.values())


def _shape(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: value if name in _KINDS else _shape(value) for name, value in node.items()}
    return [_shape(value) for value in node] if isinstance(node, list) else type(node).__name__


def odd_variants(body: bytes) -> Iterator[bytes]:
    """The message with each of its parts in turn left out, or replaced by something odd; only of JSON."""
    try:
        document = json.loads(body)
    except ValueError:
        return
    for path in _paths(document):
        for odd in (*ODD_VALUES, _LEFT_OUT):
            changed = copy.deepcopy(document)
            place = changed
            for step in path[:-1]:
                place = place[step]
            if odd is _LEFT_OUT:
                del place[path[-1]]
            else:
                place[path[-1]] = odd
            yield json.dumps(changed).encode()


def _paths(node: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in children:
        yield (*before, name)
        yield from _paths(value, (*before, name))

"""
QR codes of a URL, as PNG for mails, as SVG for pages and print, and as text for a terminal.

A code carries the URL byte for byte: it is a link to scan and no payment code such as EPC069-12. It is always dark
on light with a quiet zone of four modules, at error level M or better. Choosing the mask is most of the work, so
each URL is drawn once and the last few hundred are kept.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

from paybylink.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    import segno

_KEPT = 256
#: Light modules are written out, never left transparent: dark mode would show dark on dark.
_DARK, _LIGHT = "#000000", "#ffffff"
#: A version 40 code at level M holds 2,331 bytes; far less can be scanned from paper.
_LONGEST = 2000


@functools.lru_cache(maxsize=_KEPT)
def qr_png(url: str, *, scale: int = 8) -> bytes:
    """
    A PNG of the code, `scale` pixels for each module, quiet zone included.

    Raises:
        InvalidInput: the URL is too long for a code that can be scanned.
        MissingExtra: segno is not installed.
    """
    out = io.BytesIO()
    _code(url).save(out, kind="png", scale=scale, dark=_DARK, light=_LIGHT)
    return out.getvalue()


@functools.lru_cache(maxsize=_KEPT)
def qr_svg(url: str, *, title: str = "") -> str:
    """An SVG element without fixed size; `title` is its accessible name. Raises as `qr_png`."""
    out = io.BytesIO()
    _code(url).save(
        out,
        kind="svg",
        xmldecl=False,
        omitsize=True,
        dark=_DARK,
        light=_LIGHT,
        title=title or None,
        nl=False,
    )
    return out.getvalue().decode("utf-8")


def qr_terminal(url: str) -> str:
    """The code as lines of half blocks, for a dark or a light terminal. Raises as `qr_png`."""
    out = io.StringIO()
    _code(url).terminal(out=out, compact=True)
    return out.getvalue()


@functools.lru_cache(maxsize=_KEPT)
def _code(url: str) -> segno.QRCode:
    try:
        import segno
    except ImportError as error:
        raise MissingExtra("messages", "drawing QR codes") from error
    if not url or len(url.encode()) > _LONGEST:
        raise InvalidInput.single(
            "url", f"is empty or longer than {_LONGEST} bytes", "share the link as text, or set a public_url"
        )
    # make_qr, since make() may choose a Micro QR code, which phones cannot read.
    return segno.make_qr(url, error="m", boost_error=True, encoding=None if url.isascii() else "utf-8")

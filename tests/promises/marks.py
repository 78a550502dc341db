"""
Marked values, and a watch that searches for them in everything that is written.

A *secret* may be written nowhere at all. What is *personal* (a customer's name, address or number; the address of a
link, whose holder sees and pays it) may stand where it is asked for, on a page or in the output of `create`, and in
no log, error, repr or failing command.

What the watch allows: at INFO and above nothing from anybody; below it, nothing from a logger of ours.
"""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from attrs import define, field

from paybylink import PaybylinkError

API_KEY = "sk_test_markApiKey7Zq"
WEBHOOK_SECRET = "whsec_markHook7Zq"
SMTP_USER = "mark-user-7zq"
SMTP_PASSWORD = "mark+Smtp/7Zq"
DATABASE_PASSWORD = "markDatabase7Zq"
EMAIL = "zoe.mark7zq@example.com"
PHONE = "+33612399907"
NAME = "Zoé Marquée-Septzq"

SECRETS = ("markApiKey7Zq", "markHook7Zq", "mark+Smtp/7Zq", "markDatabase7Zq")
PERSONAL = ("mark7zq", "612399907", "Septzq")


def _spellings(mark: str) -> set[str]:
    """The mark as it stands, and as headers, URLs and SMTP write it."""
    plain = mark.encode()
    whole = base64.b64encode(b"\0" + SMTP_USER.encode() + b"\0" + plain).decode()
    return {mark, quote(mark), quote(mark, safe=""), base64.b64encode(plain).decode().rstrip("="), whole}


@define(eq=False)
class Watch(logging.Handler):
    """
    Everything that was logged, and the marks to search for.

    Attributes:
        marks: secrets and personal data; a test adds the addresses and tokens of the links that it makes.
    """

    marks: set[str] = field(factory=lambda: {*SECRETS, *PERSONAL})
    records: list[tuple[str, int, str]] = field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__(level=1)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as any formatter would write it, its traceback included."""
        self.records.append((record.name, record.levelno, logging.Formatter().format(record)))

    def add(self, *marks: str) -> None:
        """Search for these as well; for a link its address and its token."""
        assert all(len(mark) > 5 for mark in marks), marks
        self.marks.update(marks)

    def found_in(self, text: str, marks: Iterable[str] | None = None) -> list[str]:
        """The marks in `text`."""
        wanted = self.marks if marks is None else marks
        lower = text.lower()
        return [mark for mark in wanted if any(each.lower() in lower for each in _spellings(mark))]

    def check(self, *things: object) -> None:
        """Fail if a mark is in the logs so far, or in the text or the repr of one of the things."""
        for name, level, text in self.records:
            if level >= logging.INFO or name.partition(".")[0] == "paybylink":
                assert not self.found_in(text), f"logged by {name}: {text}"
        for thing in things:
            for text in (str(thing), repr(thing)):
                assert not self.found_in(text), f"in {type(thing).__name__}: {text}"
            if isinstance(thing, BaseException):
                self._check_error(thing)

    def _check_error(self, error: BaseException) -> None:
        """The error, its facts, whatever it was raised from or over, and its traceback."""
        seen: BaseException
        for seen in chain(error):
            told = [str(seen), repr(seen), *(repr(argument) for argument in seen.args)]
            if isinstance(seen, PaybylinkError):
                told += [repr(fact) for fact in vars(seen).values()]
            for text in told:
                assert not self.found_in(text), f"in {type(seen).__name__} behind {error!r}: {text}"
        text = "".join(traceback.format_exception(error))
        assert not self.found_in(text), text


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all errors behind it, those that a traceback hides included."""
    left, known = [error], set[int]()
    while left:
        each = left.pop()
        if id(each) not in known:
            known.add(id(each))
            left += [behind for behind in (each.__cause__, each.__context__) if behind is not None]
            yield each


@contextmanager
def watched() -> Iterator[Watch]:
    """A watch over every logger there is, at its lowest level; what it saw is checked at the end."""
    watch = Watch()
    root = logging.getLogger()
    loggers = [root, *(each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    before = [(logger, logger.level, logger.disabled) for logger in loggers]
    deaf = [logger for logger in loggers if logger is not root and not logger.propagate]
    for logger in loggers:
        # The mail server of the sandbox logs what it reads; it is the other side, and no part of us.
        if logger.name != "mail.log":
            logger.setLevel(logging.DEBUG)
        logger.disabled = False
    for logger in (root, *deaf):
        logger.addHandler(watch)
    try:
        yield watch
    finally:
        for logger in (root, *deaf):
            logger.removeHandler(watch)
        for logger, level, disabled in before:
            logger.setLevel(level)
            logger.disabled = disabled
    watch.check()

"""
A mail server that repeats what it hears: every refusal quotes the line before it, passwords and addresses included.

Some real servers do so with addresses, and a broken one may do so with anything.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from attrs import define, field


@define
class Parrot:
    """
    What it does next.

    Attributes:
        port: where it listens.
        refuses: the beginning of the line that it refuses; ``dot`` refuses after the whole mail, empty nothing.
        code: with which it refuses; 0 hangs up instead.
        offers: what EHLO announces.
        heard: every line that was said to it, the mails' own left out.
        refused: whether it came to that.
    """

    port: int = 0
    refuses: str = ""
    code: int = 550
    offers: tuple[str, ...] = ("AUTH PLAIN LOGIN", "8BITMIME", "SIZE 10000000")
    heard: list[str] = field(factory=list)
    refused: bool = False

    def prepare(self, refuses: str = "", code: int = 550, *, offers: tuple[str, ...]) -> None:
        """Forget what was, and behave like that from now on."""
        self.refuses, self.code, self.offers = refuses, code, offers
        self.heard.clear()
        self.refused = False


def _addresses(mail: bytes) -> str:
    """What stands in the plain text of a mail that looks like the address of a page."""
    text = mail.decode("latin-1").replace("=\r\n", "").replace("=3D", "=")
    return " ".join(word for word in text.split() if word.startswith("http"))[:400]


@contextmanager
def parrot() -> Iterator[Parrot]:
    """A `Parrot` that listens for as long as the block runs."""
    bird = Parrot()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            # A client that goes away in the middle is what some tests are about.
            with suppress(OSError):
                self.talk()

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        def talk(self) -> None:
            if bird.refuses == "greeting":
                bird.refused = True
                self.say(f"{bird.code} not you")
                return
            self.say("220 parrot")
            login = 0
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                bird.heard.append(line)
                word = "PASSWORD" if login == 2 else line.upper()
                if bird.refuses and word.startswith(bird.refuses.upper()):
                    bird.refused = True
                    if not bird.code:
                        return
                    self.say(f"{bird.code} 5.7.8 you said {line} ({' '.join(bird.heard)})")
                    login = 0
                elif word.startswith("EHLO"):
                    self.say("\r\n".join(f"250-{offer}" for offer in ("parrot", *bird.offers)))
                    self.say("250 HELP")
                elif word.startswith("AUTH PLAIN") or login == 2:
                    self.say("235 2.7.0 welcome")
                    login = 0
                elif word.startswith("AUTH LOGIN") or login == 1:
                    self.say("334 VXNlcm5hbWU6" if not login else "334 UGFzc3dvcmQ6")
                    login += 1
                elif word == "DATA":
                    self.say("354 go on")
                    mail = b""
                    while (each := self.rfile.readline()) not in (b".\r\n", b""):
                        mail += each
                    if bird.refuses == "dot":
                        bird.refused = True
                        if bird.code:
                            self.say(f"{bird.code} 5.7.1 not this: {_addresses(mail)} {' '.join(bird.heard)}")
                        return
                    self.say("250 2.0.0 taken")
                elif word == "QUIT":
                    self.say("221 2.0.0 bye")
                    return
                else:
                    self.say("250 2.1.0 fine")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Talk) as server:
        bird.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield bird
        finally:
            server.shutdown()
            thread.join()

"""``python -m paybylink.cli`` is ``paybylink``."""

from . import main

main()

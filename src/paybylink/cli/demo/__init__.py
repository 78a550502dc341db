"""
``paybylink demo``: a small French workshop's orders, from the spreadsheet to the books, on this machine alone.

Every step asks first what is there already, so a demo that was killed goes on where it was, and one that has ended
changes nothing when it is started again.
"""

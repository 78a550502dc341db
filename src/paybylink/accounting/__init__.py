"""
The books: what happened to money, as balanced entries, and the files that accountants read.

`entries` is the vocabulary, `accounts` the merchant's chart, `booking` turns events into entries, `ledger` is the
shape in which stored entries are read, `reports` and `exports` make something of them. Everything here is pure:
values in, values or bytes out.
"""

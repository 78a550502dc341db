"""Formats that the ledger is written in: one module each, found by name through entry points."""

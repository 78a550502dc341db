"""
How fast it is, beside a peer in the same run, on the same machine.

`python -m benchmarks` runs every case in a process of its own and prints a table; `python -m benchmarks.webhook` runs
one and prints its JSON lines. Each line has ours, the peer's, their ratio and the goal. Nothing here is a test.
"""

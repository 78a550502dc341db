"""
Values to rows and back: what a column holds of a value, and nothing about SQL.

`…_row` gives the parameters of an insert; `…_from_row` gives the value that was written, equal to it. What was
stored under older rules is read as it stands: money by `Money.read`, an order without checking its limits again.
"""

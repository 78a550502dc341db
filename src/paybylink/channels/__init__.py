"""
The ways to hand a payment link to a person.

`base` is what every channel can be asked; `wording` is what messages say, in which language; `addresses` gives
each person one spelling; `qr` draws codes. Beside them stand the channels, a folder each, and `share`, the channel
without a sender.
"""

"""
Stripe, as far as payment links need it: a folder of actions over the sandbox's documents.

`wire` and `parameters` read what the client wrote; `catalogue`, `links`, `sessions`, `payments`, `refunds` and
`events` are the objects; `lists` pages and expands them; `paying` is the payer's page; `routes` puts it all behind
HTTP, and `vendor` before the frame. Nothing here imports Stripe's SDK: the sandbox is the other end of the wire.
"""

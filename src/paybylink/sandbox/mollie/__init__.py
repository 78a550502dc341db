"""
Mollie, as far as payment links need it: a folder of actions over the sandbox's documents.

`wire` is how Mollie speaks, `parameters` reads what a client wrote, `methods` says how a payer can pay; `links`,
`payments`, `refunds`, `chargebacks`, `balances`, `settlements` and `invoices` are the objects; `events` tells of
them; `routes` puts it all behind HTTP. Nothing here imports Mollie's SDK: the sandbox is the other end of the wire.

Where Mollie's own documents leave a question open, the sandbox takes the side that is harder on its client, and
the module says so.
"""

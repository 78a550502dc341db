"""
Adyen, as far as payment links need it: a folder of actions over the sandbox's documents.

`wire` and `parameters` read what the client wrote, `shapes` says what each request may hold; `links`, `payments`,
`modifications`, `disputes` and `balance` are the objects, `report` is the file that accounts for a payout; `events`
tells of all of them; `paying` is the payer's page; `routes` puts it behind HTTP, and `vendor` before the frame.
Nothing here imports Adyen's package: the sandbox is the other end of the wire.

Where Adyen's own documents leave a question open, the sandbox takes the side that is harder on its client, and the
module says so.
"""

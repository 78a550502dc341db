"""
Every statement of the store, built once when its module is imported and never per call.

One module for each part of the house: `links`, `money`, `messages`, `events`, `books`. A statement's parameters are
named like the columns they fill or are compared with; `tenant` is always one of them, but for the token of a
public page. The guard of an update is called `was_…`: the version or status that the writer has seen.

A vault compiles each statement once for its database and its table names, and from then on only binds values.
"""

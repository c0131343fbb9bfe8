"""What other systems have kept of people's second factors, read from their files: one module a kind.

Nothing here writes, asks a daemon, or decides who somebody is.
"""

"""nightlatch: the second lock on every login."""

"""Policy looked at from outside a login: why a rule applies, who is ready, what another one would change.

Nothing here grants, refuses or changes anything.
"""

from nightlatch.review.review import Review

__all__ = ["Review"]

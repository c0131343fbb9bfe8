"""Setting up a second step inside a login: grace, invites, the dialogue."""

from nightlatch.onboarding.dialogue import Dialogue

__all__ = ["Dialogue"]

"""A person's own account: signing in to it, seeing it, changing it."""

from nightlatch.account.own_accounts import OwnAccounts
from nightlatch.account.own_things import Overview, OwnThings
from nightlatch.account.passwords import Passwords
from nightlatch.account.proving import Proving
from nightlatch.account.reset import Resets
from nightlatch.account.reset_code import ResetCodes
from nightlatch.account.session import Sessions
from nightlatch.account.signing_in import Origin, Signed, SigningIn

__all__ = [
    "Origin",
    "Overview",
    "OwnAccounts",
    "OwnThings",
    "Passwords",
    "Proving",
    "ResetCodes",
    "Resets",
    "Sessions",
    "Signed",
    "SigningIn",
]

"""What an administrator or a helpdesk does for one person: look, keep out, let begin anew."""

from nightlatch.desk.desk import Desk, Reset
from nightlatch.desk.looking import UserView

__all__ = ["Desk", "Reset", "UserView"]

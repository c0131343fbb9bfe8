"""Giving a person a second factor, and taking one away: begin, show, confirm."""

from nightlatch.enrollment.enroll import Begun, Enrollments
from nightlatch.enrollment.invites import Invite, Invites
from nightlatch.enrollment.remove import Asked, Removals

__all__ = ["Asked", "Begun", "Enrollments", "Invite", "Invites", "Removals"]

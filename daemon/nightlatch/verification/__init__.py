"""Checking a second factor for applications that sign people in by themselves."""

from nightlatch.verification.answers import Sent, Verification, VerificationRequest, Verified
from nightlatch.verification.verify import Verifications

__all__ = ["Sent", "Verification", "VerificationRequest", "Verifications", "Verified"]

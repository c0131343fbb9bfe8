"""Tells a program of the administrators' what the audit says: signed, in order, until it is taken."""

from nightlatch.webhook.target import FALLBACK, WebhookTarget
from nightlatch.webhook.telling import Webhook

__all__ = ["FALLBACK", "Webhook", "WebhookTarget"]

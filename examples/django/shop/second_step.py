"""The second step: the client, and the view that signs people in behind it."""

from __future__ import annotations

import functools
import logging
import time

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.views import LoginView
from django.shortcuts import redirect, resolve_url
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from nightlatch.client import Client, ClientError

PATIENCE = 300
"""Seconds between the password and the code."""
PENDING = "second_step_pending"
log = logging.getLogger(__name__)


@functools.cache
def mfa() -> Client:
    """One client for each process, made by the first request there, so behind any fork."""
    return Client(
        *settings.NIGHTLATCH["targets"],
        cert=settings.NIGHTLATCH["cert"],
        key=settings.NIGHTLATCH["key"],
        ca=settings.NIGHTLATCH["ca"],
    )


class PasswordView(LoginView):
    """Django's own login, up to the right password. It signs nobody in."""

    template_name = "form.html"

    def form_valid(self, form):
        """Remember who has shown a password, and go on to the code."""
        user = form.get_user()
        self.request.session.flush()
        self.request.session[PENDING] = {"pk": user.pk, "backend": user.backend, "since": time.time()}
        return redirect("code")


class CodeForm(forms.Form):
    """One field."""

    code = forms.CharField(
        max_length=64, widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"})
    )


@method_decorator(never_cache, name="dispatch")
class CodeView(FormView):
    """The second factor. The only place that signs anybody in."""

    template_name = "form.html"
    form_class = CodeForm

    def dispatch(self, request, *args, **kwargs):
        """For those who have shown a password, not long ago."""
        self.pending = request.session.get(PENDING)
        if self.pending is None or time.time() - self.pending["since"] > PATIENCE:
            return redirect("login")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        """Ask nightlatch; say apart what is wrong, what is locked, and what could not be decided."""
        user = get_user_model().objects.filter(pk=self.pending["pk"], is_active=True).first()
        if user is None:
            return redirect("login")
        try:
            result = mfa().verify_code(user.get_username(), form.cleaned_data["code"])
        except ClientError as error:
            log.error("nightlatch: %s: %s", type(error).__name__, error)
            return self.again(form, "This can not be checked right now. Please try again in a moment.", 503)
        if result.verified:
            login(self.request, user, backend=self.pending["backend"])
            self.request.session.pop(PENDING, None)
            return redirect(resolve_url(settings.LOGIN_REDIRECT_URL))
        if result.locked:
            until = f" until {result.locked_until:%H:%M} UTC" if result.locked_until else ""
            return self.again(form, f"Too many attempts. No code is looked at{until}.", 429)
        return self.again(form, "That code is wrong, or was used before.", 401)

    def again(self, form, words, status):
        """The form once more."""
        form.add_error(None, words)
        return self.render_to_response(self.get_context_data(form=form), status=status)

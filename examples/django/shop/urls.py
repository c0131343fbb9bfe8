"""What the shop serves. Everything but the two forms is for those who have passed both."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.shortcuts import render
from django.urls import path

from shop.second_step import CodeView, PasswordView


@login_required
def home(request):
    """For those who are signed in."""
    return render(request, "home.html")


urlpatterns = [
    path("", home, name="home"),
    path("login", PasswordView.as_view(), name="login"),
    path("code", CodeView.as_view(), name="code"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
]

"""Django's settings, as few as a site with people needs. Paths are in the environment, secrets in files."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLAIN_HTTP = os.environ.get("SHOP_PLAIN_HTTP") == "1"

SECRET_KEY = Path(os.environ["SHOP_SESSION_KEY_FILE"]).read_text().strip()
ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS", "localhost 127.0.0.1").split()
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SHOP_DATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_SAMESITE = "Strict"

NIGHTLATCH = {
    "targets": os.environ["NIGHTLATCH_TARGETS"].split(),
    "cert": os.environ["NIGHTLATCH_CERT"],
    "key": os.environ["NIGHTLATCH_KEY"],
    "ca": os.environ["NIGHTLATCH_CA"],
}

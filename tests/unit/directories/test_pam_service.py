"""Whether a PAM service is fit to be the first factor."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightlatch.directories.pam_service import problems

FIT = "auth required pam_unix.so\naccount required pam_unix.so\n"


def _problems(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / name.replace("_", "-")).write_text(text)
    return problems((folder,))


def test_the_shipped_service_is_fit() -> None:
    """The example that comes with nightlatch passes its own check."""
    assert problems((Path(__file__).parents[3] / "systemd" / "pam.d",)) == []


def test_missing(tmp_path: Path) -> None:
    """A service that is not there is a problem that says what to do."""
    (only,) = _problems(tmp_path)
    assert "there is no PAM service nightlatch-primary" in only


@pytest.mark.parametrize(
    "text",
    [
        FIT,
        "-auth\trequired\tpam_unix.so # no pam_nightlatch\naccount [success=ok default=die] pam_unix.so",
        "AUTH sufficient pam_unix.so\nauth required \\\n  pam_deny.so\naccount required pam_permit.so",
        "@include other",
        "auth include other\naccount substack other",
    ],
)
def test_fit(tmp_path: Path, text: str) -> None:
    """All ways to write the two needed lines are understood."""
    assert _problems(tmp_path, nightlatch_primary=text, other=FIT) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no auth line"),
        ("# auth required pam_unix.so\naccount required pam_unix.so", "no auth line"),
        ("auth required pam_unix.so\nsession required pam_unix.so", "no account line"),
        ("auth include other\nsession include other", "no account line"),
        (FIT + "auth required pam_nightlatch.so", "contains pam_nightlatch"),
        (FIT + "auth [success=1 default=ignore] /usr/lib/pam_nightlatch.so x", "contains pam_nightlatch"),
        (FIT + "auth required \\\npam_nightlatch.so", "contains pam_nightlatch"),
        (FIT + "@include back", "contains pam_nightlatch"),
        (FIT + "auth substack back", "contains pam_nightlatch"),
        (FIT + "@include nightlatch-primary", "includes itself"),
        (FIT + "@include round", "includes itself"),
        (FIT + "@include nowhere", "does not exist"),
        (FIT + "auth include", "does not exist"),
    ],
)
def test_unfit(tmp_path: Path, text: str, words: str) -> None:
    """What libpam would take `other` for, what asks nightlatch itself, and what never ends is found."""
    found = _problems(
        tmp_path,
        nightlatch_primary=text,
        other=FIT,
        back="auth include deeper\n",
        deeper="session optional pam_nightlatch.so\n",
        round="auth include nightlatch-primary\n",
    )
    assert any(words in problem for problem in found), found


def test_first_place_wins(tmp_path: Path) -> None:
    """/etc/pam.d is looked at before /usr/lib/pam.d, as libpam does."""
    first, second = tmp_path / "etc", tmp_path / "usr"
    for place, text in ((first, "rubbish\n"), (second, FIT)):
        place.mkdir()
        (place / "nightlatch-primary").write_text(text)
    assert problems((second,)) == []
    assert problems((first, second)) != []

"""The users and groups of this machine, asked of the C library as nsswitch.conf(5) says.

MUST 1: an error is never "nobody": a process without a free descriptor would take one person for another.
        Python's pwd and grp make one KeyError of both, and so does the C library where a source that could
        be read stands behind one that could not: who is not found is looked for in the file once more.
MUST 2: who hangs in here holds nobody else: os.getgrouplist and pwd.getpwall keep the interpreter's lock.
MUST 3: groups are never told in part where that can be seen: getgrouplist(3) leaves out in silence what
        could not be read, so /etc/group is read as well, and every source is asked something before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import threading
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY = frozenset({0, errno.ENOENT, errno.ESRCH, errno.EBADF, errno.EPERM})  # getpwnam(3), ERRORS
_FIRST_BUFFER = 4096
_LARGEST_BUFFER = 16 * 2**20  # a group of a million people
_FIRST_GROUPS = 64
_MOST_GROUPS = 65536  # NGROUPS_MAX of Linux
_USER_FILE = Path("/etc/passwd")
_GROUP_FILE = Path("/etc/group")
_NO_GROUP = "nightlatch-no-such-group"
"""A name that every source is asked for, and no group has: whoever is away has to say so."""
_USER_FIELDS = 7  # passwd(5)
_GROUP_FIELDS = 4  # group(5)
_NUMBER = re.compile(r"[0-9]{1,10}")
_NAME = re.compile(r"[^+#-].*")  # not what compat(5) or a comment begins with
_NO_LOGIN = ("/nologin", "/false")


class User(NamedTuple):
    """A line of passwd(5)."""

    name: str
    gid: int
    has_shell: bool


class UnixGroup(NamedTuple):
    """A line of group(5)."""

    name: str
    gid: int
    members: tuple[str, ...]


class _Passwd(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("password", c_char_p),
        ("uid", c_uint32),
        ("gid", c_uint32),
        ("gecos", c_char_p),
        ("home", c_char_p),
        ("shell", c_char_p),
    )


class _Group(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("password", c_char_p),
        ("gid", c_uint32),
        ("members", POINTER(c_char_p)),
    )


class NameService:
    """Every call may block for as long as a module of nsswitch.conf takes, and raises OSError."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL("libc.so.6")
        for function in (self._libc.getpwnam_r, self._libc.getgrnam_r):
            function.argtypes = (c_char_p, c_void_p, c_void_p, c_size_t, c_void_p)
        self._libc.getgrgid_r.argtypes = (c_uint32, c_void_p, c_void_p, c_size_t, c_void_p)
        for function in (self._libc.getpwent_r, self._libc.getgrent_r):
            function.argtypes = (c_void_p, c_void_p, c_size_t, c_void_p)
        self._libc.getgrouplist.argtypes = (c_char_p, c_uint32, POINTER(c_uint32), POINTER(c_int))
        self._reading = threading.Lock()  # getpwent_r(3) and getgrent_r(3) have one place for all threads

    def user(self, name: str) -> User | None:
        """Who has exactly this name, or None."""
        found: User | None = self._one(self._libc.getpwnam_r, (name.encode(),), _Passwd, _user)
        if found is None:
            _require_absent(_USER_FILE, b"^%b:" % re.escape(name.encode()))
        return found

    def group(self, name: str) -> UnixGroup | None:
        """The group with this name, or None."""
        named: UnixGroup | None = self._one(self._libc.getgrnam_r, (name.encode(),), _Group, _group)
        if named is None:
            _require_absent(_GROUP_FILE, b"^%b:" % re.escape(name.encode()))
        return named

    def group_numbered(self, gid: int) -> UnixGroup | None:
        """The group with this number, or None."""
        numbered: UnixGroup | None = self._one(self._libc.getgrgid_r, (gid,), _Group, _group)
        if numbered is None:
            _require_absent(_GROUP_FILE, b"^[^:\n]*:[^:\n]*:%d:" % gid)
        return numbered

    def groups_of(self, user: User) -> tuple[int, ...]:
        """The numbers of all groups of a user, the primary one first."""
        in_file = {
            int(line[2])
            for line in _lines(_GROUP_FILE)
            if len(line) == _GROUP_FIELDS and user.name in line[3].split(",") and _NUMBER.fullmatch(line[2])
        }
        self.group(_NO_GROUP)
        room = _FIRST_GROUPS
        while room <= _MOST_GROUPS:
            count, gids = c_int(room), (c_uint32 * room)()
            if self._libc.getgrouplist(user.name.encode(), user.gid, gids, byref(count)) >= 0:
                found = {*gids[: count.value], *in_file} - {user.gid}
                return (user.gid, *sorted(found))
            room = max(count.value, room * 2)
        raise OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW))

    def users(self) -> list[User]:
        """Everybody who can be counted: nsswitch's modules may keep theirs to themselves."""
        found: list[User] = list(self._every("pw", _Passwd, _user))
        _require_all(_USER_FILE, _USER_FIELDS, {user.name for user in found})
        return found

    def groups(self) -> list[UnixGroup]:
        """Every group that can be counted."""
        found: list[UnixGroup] = list(self._every("gr", _Group, _group))
        _require_all(_GROUP_FILE, _GROUP_FIELDS, {group.name for group in found})
        return found

    def _one(self, function: Any, key: tuple[Any, ...], kind: Any, read: Any) -> Any:  # noqa: ANN401 - ctypes' own
        size = _FIRST_BUFFER
        while size <= _LARGEST_BUFFER:
            entry, buffer, found = kind(), ctypes.create_string_buffer(size), c_void_p()
            code = function(*key, byref(entry), buffer, size, byref(found))
            if found.value is not None:
                return read(entry)
            if code in _NOBODY:
                return None
            if code != errno.ERANGE:
                raise OSError(code, os.strerror(code))
            size *= 2
        raise OSError(errno.ERANGE, os.strerror(errno.ERANGE))

    def _every(self, table: str, kind: Any, read: Any) -> Iterator[Any]:  # noqa: ANN401 - ctypes' own
        function = getattr(self._libc, f"get{table}ent_r")
        with self._reading:
            getattr(self._libc, f"set{table}ent")()
            try:
                while (entry := self._one(function, (), kind, read)) is not None:
                    yield entry
            finally:
                getattr(self._libc, f"end{table}ent")()


def _user(entry: Any) -> User:  # noqa: ANN401 - ctypes' own
    shell = (entry.shell or b"").decode(errors="backslashreplace")
    return User(_text(entry.name), entry.gid, not shell.endswith(_NO_LOGIN))


def _group(entry: Any) -> UnixGroup:  # noqa: ANN401 - ctypes' own
    members: list[str] = []
    while entry.members and (member := entry.members[len(members)]) is not None:
        members.append(_text(member))
    return UnixGroup(_text(entry.name), entry.gid, tuple(members))


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="backslashreplace")


def _require_absent(file: Path, line: bytes) -> None:
    """Raise OSError where the file can not be read, or has a line like the one that was not found."""
    if re.search(line, file.read_bytes(), re.MULTILINE):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _require_all(file: Path, fields: int, names: set[str]) -> None:
    """Raise OSError where the file can not be read, or has a name in a whole line that was not told."""
    if not {line[0] for line in _lines(file) if len(line) == fields and _NAME.fullmatch(line[0])} <= names:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _lines(file: Path) -> list[list[str]]:
    return [line.split(":") for line in file.read_text(errors="replace").splitlines()]

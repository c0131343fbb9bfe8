"""A DNS server with a few records, for tests: a thread of the test, on a UDP port of its own."""

from __future__ import annotations

import socket
import threading
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

_LONGEST_QUESTION = 512


class DnsServer:
    """Answers from its records; what it has none of does not exist. Used as a context manager."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        """As the setting dns_servers wants it."""
        self.silent = False
        """Whether it answers nothing."""
        self.broken = False
        """Whether it answers that it can not answer (SERVFAIL)."""
        self.ignored: set[str] = set()
        """Names about which it is silent."""
        self.asked: list[str] = []
        """The names that it was asked for."""

    def put(self, name: str, kind: str, *values: str, ttl: int = 600) -> None:
        """Set the records of a name; none removes them."""
        self._records[name.lower(), kind] = (ttl, values)

    def controllers(self, domain: str, *targets: str, ttl: int = 600) -> None:
        """Name the controllers of a domain: "PRIORITY WEIGHT PORT HOST." each."""
        self.put(f"_ldap._tcp.dc._msdcs.{domain}", "SRV", *targets, ttl=ttl)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, asker = self._socket.recvfrom(_LONGEST_QUESTION)
            if not data:
                return
            question = dns.message.from_wire(data)
            self.asked.append(question.question[0].name.to_text(omit_final_dot=True))
            if not self.silent and self.asked[-1] not in self.ignored:
                self._socket.sendto(self._answer(question).to_wire(), asker)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        if self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        ttl, values = self._records.get((name, kind), (0, ()))
        if values:
            answer.answer.append(dns.rrset.from_text(asked.name, ttl, "IN", kind, *values))
        elif not any(known == name and found for (known, _), (_, found) in self._records.items()):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

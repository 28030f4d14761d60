"""`Smtp`: a mail server, and how one message is handed to it."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias, get_args

from flows.errors import DeclarationError
from flows.model.duration import Duration, check_duration
from flows.service.secret import Secret, as_secret
from flows.service.transports.not_sent import NotSent

Security: TypeAlias = Literal["starttls", "tls", "none"]
#: Makes a message, given the recipients that the server refuses and what it says of each.
Compose: TypeAlias = Callable[[dict[str, str]], bytes]

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_TIMEOUT: Final = timedelta(seconds=10)
#: Where answers begin that say: taken, not for the moment, and never.
_TAKEN, _FOR_NOW, _FOR_GOOD = 200, 400, 500
_MOST_PORT: Final = 65_535
_SHOWN: Final = 200


class Line:
    """The connection of one try, which another thread may cut: a thread cannot be stopped otherwise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._is_cut = False

    def hold(self, connection: socket.socket | None) -> None:
        """Take the connection.

        Raises:
            OSError: it was cut before it was made.
        """
        with self._lock:
            self._connection = connection
            if self._is_cut:
                raise OSError("it was given up")

    def cut(self) -> None:
        """End the connection, whatever waits for it."""
        with self._lock, suppress(OSError):
            self._is_cut = True
            if self._connection is not None:
                self._connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Smtp:
    """A mail server.

    Args:
        host: Its name.
        port: Its port; None: 587 with STARTTLS, 465 with TLS, 25 without.
        security: "starttls" encrypts the connection before anything is said, and sends nothing where the server cannot;
            "tls" begins encrypted; "none" is for a server on this machine, and takes no password.
        username: Who we are; empty: the server asks nobody.
        password: The password, `env:NAME` or `file:PATH`.
        ca_certs: A file of certificates to trust beside the system's.
        timeout: How long each of its answers may take.

    Raises DeclarationError where one of them cannot be used.
    """

    host: str
    port: int | None = None
    _: KW_ONLY
    security: Security = "starttls"
    username: str = ""
    password: Secret | str | None = None
    ca_certs: str | None = None
    timeout: Duration = Duration(_TIMEOUT)  # noqa: RUF009 - a descriptor

    def __post_init__(self) -> None:
        """Check what can be checked without the server."""
        if not isinstance(self.host, str) or not self.host:  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"host={self.host!r}: give the name of a mail server")
        if self.security not in get_args(Security):
            raise DeclarationError(f"security={self.security!r}: give one of {', '.join(get_args(Security))}")
        port = _PORTS[self.security] if self.port is None else self.port
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port <= _MOST_PORT:  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"port={port!r}: give a number from 1 to {_MOST_PORT}")
        object.__setattr__(self, "port", port)
        check_duration("timeout", self.timeout)
        if bool(self.username) != (self.password is not None):
            raise DeclarationError("a mail server is given a username and a password, or neither")
        if self.password is not None:
            object.__setattr__(self, "password", as_secret(self.password))
            if self.security == "none":
                raise DeclarationError("security='none' would send the password in the clear: take 'starttls' or 'tls'")

    def hand_over(self, sender: str, recipients: Sequence[str], compose: Compose, line: Line) -> None:
        """Hand one message to the server, in a thread of the caller's.

        A recipient that the server refuses for the moment keeps the message from all of them: else a second try would
        come twice to the others. One that it refuses for good does not.

        Args:
            sender: The address that answers go to.
            recipients: The addresses.
            compose: Makes the message.
            line: Takes the connection, so that the caller may cut it.

        Raises:
            NotSent: the server has not taken it, or has not said so.
        """
        try:
            client = self._open(line)
            try:
                self._login(client)
                _hand_over(client, sender, recipients, compose)
            finally:
                client.close()
        except smtplib.SMTPAuthenticationError as error:  # somebody can mend the password
            raise NotSent(f"{self.host} takes no such user: {_said(error.smtp_code, error.smtp_error)}") from None
        except smtplib.SMTPResponseException as error:
            for_good = error.smtp_code >= _FOR_GOOD
            raise NotSent(f"{self.host}: {_said(error.smtp_code, error.smtp_error)}", for_good=for_good) from None
        except (smtplib.SMTPException, OSError, DeclarationError) as error:
            raise NotSent(f"{self.host}: {error or type(error).__name__}") from None

    def _open(self, line: Line) -> smtplib.SMTP:
        named = socket.gethostname()
        named = named if "." in named else "[127.0.0.1]"  # what smtplib says too, but after asking name servers
        seconds, port = self.timeout.total_seconds(), self.port or 0
        if self.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(self.host, port, named, timeout=seconds, context=self._tls())
        else:
            client = smtplib.SMTP(self.host, port, named, timeout=seconds)
        try:
            line.hold(client.sock)
            if self.security == "starttls":
                client.starttls(context=self._tls())
                line.hold(client.sock)
        except BaseException:
            client.close()
            raise
        return client

    def _login(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self.password is not None:
            client.login(self.username, as_secret(self.password).reveal())

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_certs is not None:
            context.load_verify_locations(self.ca_certs)
        return context


def _hand_over(client: smtplib.SMTP, sender: str, recipients: Sequence[str], compose: Compose) -> None:
    utf8 = not all(map(str.isascii, (sender, *recipients)))
    if utf8 and not client.has_extn("smtputf8"):
        raise NotSent("the mail server takes no addresses with other letters than ASCII's", for_good=True)
    _check(*client.mail(sender, ["SMTPUTF8"] if utf8 else []))
    refused: dict[str, str] = {}
    for recipient in recipients:
        code, text = client.rcpt(recipient)
        if code >= _FOR_GOOD:
            refused[recipient] = _said(code, text)
        else:
            _check(code, text)
    if len(refused) == len(recipients):
        raise NotSent(f"the mail server takes none of the recipients: {refused}", for_good=True)
    message = compose(refused)
    try:
        code, text = client.data(message)
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise NotSent(f"the mail server did not say that it has the message: {error}", is_unknown=True) from None
    _check(code, text)
    with suppress(smtplib.SMTPException, OSError):  # it has taken the message
        client.quit()


def _check(code: int, text: bytes) -> None:
    if not _TAKEN <= code < _FOR_NOW:  # smtplib says -1 where the answer is none
        raise smtplib.SMTPResponseException(code, text)


def _said(code: int, text: bytes | str) -> str:
    said = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return f"{code} {' '.join(said.split())}"[:_SHOWN]

"""Understands the values of the TLS options that a server's URL may have, as redis-py and others spell them."""

from __future__ import annotations

import ssl
from typing import Final

_FALSE: Final = ("0", "f", "false", "n", "no", "off")
_TRUE: Final = ("1", "t", "true", "y", "yes", "on")

#: The options that a URL may have, and what to write where a value is none.
TLS_OPTIONS: Final = {
    "ssl_keyfile": "it is empty",
    "ssl_certfile": "it is empty",
    "ssl_password": "it is empty",
    "ssl_ca_certs": "it is empty",
    "ssl_ca_path": "it is empty",
    "ssl_ca_data": "it is empty",
    "ssl_ciphers": "it is empty",
    "ssl_cert_reqs": "write none, optional or required",
    "ssl_check_hostname": "write true or false",
    "ssl_min_version": "write TLSv1_2 or TLSv1_3",
    "ssl_include_verify_flags": "write names of ssl.VerifyFlags, with commas between them",
    "ssl_exclude_verify_flags": "write names of ssl.VerifyFlags, with commas between them",
}


def tls_option(name: str, text: str) -> object:
    """Return the value of a TLS option as redis-py takes it, or None where the text is no value of it."""
    if name == "ssl_cert_reqs":
        word = text.lower().removeprefix("ssl.").removeprefix("cert_")
        return word if word in {"none", "optional", "required"} else None
    if name == "ssl_check_hostname":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None
    if name == "ssl_min_version":
        return _version(text)
    if name.endswith("_verify_flags"):
        names = [part.strip() for part in text.strip("[]").split(",")]
        known = ssl.VerifyFlags.__members__
        return [known[flag] for flag in names] if all(flag in known for flag in names) else None
    return text or None


def _version(text: str) -> ssl.TLSVersion | None:
    """Return the version that a name (`TLSv1_2`, `1.2`) or redis-py's number (771) stands for."""
    word = text.lower().removeprefix("tlsversion.").removeprefix("tls").removeprefix("v").replace(".", "_")
    for version in ssl.TLSVersion:
        if version > 0 and word in {version.name.lower().removeprefix("tlsv"), str(int(version))}:
            return version
    return None

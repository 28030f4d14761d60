"""A password that no message may show a part of, in URLs that are malformed in many ways."""

from __future__ import annotations

from typing import Final

SECRET: Final = "Xy7secretPart"  # noqa: S105 - no password of anything
#: A message that shows one of them shows too much.
PARTS: Final = (SECRET, "Zq9otherHalf")
_TAIL: Final = PARTS[1]

#: The characters that cut a password in two where they were not percent-encoded, and what others put beside them.
_BETWEEN: Final = (*"#/?@%:[]{}<>&=+$\\ \t\n\x00;,|\"'`^~", "${", "{{", "%zz", "%ff", "://", "@@", "/?#", "é", "\udcff")

_SHAPES: Final = (
    "redis://me:{}@h:6379/0",
    "redis://:{}@127.0.0.1:1/0",
    "rediss://me:{}@h?ssl_cert_reqs=none",
    "valkeys://me:{}@[::1]:6379",
    "unix://me:{}@/run/no.sock",
    "redis://{}@h",
    "redis://h:{}/0",
    "redis://h/{}",
    "redis://h?password={}",
    "redis://h?{}",
    "redis://h?password={}=1",
    "rediss://h?ssl_certfile=/no.pem&ssl_password={}=1",
    "redis://h?db={}",
    "rediss://h?ssl_password={}&ssl_cert_reqs=x",
    "redis://me:{}",
    "{}@h:6379",
    "{}",
    "http://me:{}@h",
)

#: These are not malformed: what stands behind the @ is a host, and what stands before the = the name of an option.
_PLAIN: Final = (("redis://h:{}/0", "@"), ("redis://me:{}", "@"), ("redis://h?{}", "="))

#: In all of them the secret stands where people put passwords, also where none belongs.
MALFORMED: Final = [
    shape.format(f"{SECRET}{between}{_TAIL}")
    for shape in _SHAPES
    for between in _BETWEEN
    if (shape, between) not in _PLAIN
]

"""A server's URL: what it may hold, what is wrong with it, and that nothing shows a part of a password."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import DeclarationError, FlowOptions, Job, QueueOptions
from flows.server_url import ServerUrl, parse_server_url
from flows.url_options import OURS
from tests.canary import MALFORMED, PARTS, SECRET


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis://", {}),
        ("redis:///2", {"db": 2}),
        ("redis://h", {"host": "h"}),
        ("redis://h:1/0/", {"host": "h", "port": 1}),
        (" redis://h/ \n", {"host": "h"}),
        ("valkey://my_host.svc:7000/3", {"host": "my_host.svc", "port": 7000, "db": 3}),
        ("REDIS://h?db=4", {"host": "h", "db": 4}),
        ("redis://h/4?db=4", {"host": "h", "db": 4}),
        ("ValkeyS://h", {"host": "h", "tls": True}),
        ("rediss://[::1]:7000", {"host": "::1", "port": 7000, "tls": True}),
        ("redis://[fe80::1%25eth0]", {"host": "fe80::1%eth0"}),
        ("redis://me:a%23b%2Fc%40d%3Fe%25f:g[@h", {"host": "h", "username": "me", "password": "a#b/c@d?e%f:g["}),
        ("redis://:x+y$z@h", {"host": "h", "password": "x+y$z"}),
        ("redis://me:@h", {"host": "h", "username": "me", "password": ""}),
        ("redis://:@h", {"host": "h"}),
        ("redis://h?username=me&password=a%26b", {"host": "h", "username": "me", "password": "a&b"}),
        ("unix:///run/a%20b@c.sock?db=5", {"socket_path": "/run/a b@c.sock", "db": 5}),
        ("UNIX://:pw@/s.sock", {"socket_path": "/s.sock", "password": "pw"}),
    ],
)
def test_what_a_url_may_hold(url: str, parts: dict[str, Any]) -> None:
    """Each part is understood as redis-py understands it, and what is not there has its usual value."""
    assert parse_server_url(url) == replace(ServerUrl(), **parts)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("ssl_cert_reqs=none", {"ssl_cert_reqs": "none", "ssl_check_hostname": False}),
        ("ssl_cert_reqs=CERT_NONE", {"ssl_cert_reqs": "none", "ssl_check_hostname": False}),
        ("ssl_cert_reqs=ssl.CERT_REQUIRED", {"ssl_cert_reqs": "required"}),
        ("ssl_cert_reqs=Optional&ssl_check_hostname=no", {"ssl_cert_reqs": "optional", "ssl_check_hostname": False}),
        ("ssl_check_hostname=True", {"ssl_check_hostname": True}),
        ("ssl_min_version=771", {"ssl_min_version": ssl.TLSVersion.TLSv1_2}),
        ("ssl_min_version=TLSv1_3", {"ssl_min_version": ssl.TLSVersion.TLSv1_3}),
        ("ssl_min_version=1.2", {"ssl_min_version": ssl.TLSVersion.TLSv1_2}),
        ("ssl_include_verify_flags=[VERIFY_X509_STRICT]", {"ssl_include_verify_flags": [ssl.VERIFY_X509_STRICT]}),
        ("ssl_certfile=/etc/a%20b.pem&ssl_password=a%26b", {"ssl_certfile": "/etc/a b.pem", "ssl_password": "a&b"}),
    ],
)
def test_tls_options_are_understood_as_others_spell_them(query: str, options: dict[str, object]) -> None:
    """Celery writes CERT_NONE, redis-py none; both mean it, for one URL may serve both."""
    assert parse_server_url(f"rediss://h?{query}").tls_options == options


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_flows_sets_itself_cannot_be_set(name: str) -> None:
    """The URL may be shared with other code: such an option does nothing, and is named."""
    assert parse_server_url(f"redis://h?{name}=true&db=1") == ServerUrl("h", db=1, ignored=(name,))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("h:6379", "has no scheme: it must begin with redis://, rediss://, valkey://, valkeys:// or unix://"),
        ("http://h", "begins with http://"),
        ("redis+sentinel://h", r"begins with redis\+sentinel://"),
        ("hunter2://h", "has an unknown scheme"),
        ('"redis://h"', "quotes"),
        ("redis://h h", "white space"),
        ("redis://${HOST}:6379", "template"),
        ("redis://{{ host }}:6379", "white space|template"),
        ("redis://$HOST:6379", "no host name has"),
        ("redis://h:port/0", "port that is no number"),
        ("redis://h:637900/0", "port"),
        ("redis://h:0", "port"),
        ("redis://h:٣", "port"),
        ("redis://::1:6379", "brackets"),
        ("redis://[::1", "several colons|no host name has"),
        ("redis://[h]:1", "IPv6"),
        ("redis://a:1,b:2", "several"),
        ("redis://h/mydb", "no number: write /0"),
        ("redis://h/1?db=2", "another one in the option db"),
        ("redis://h?db=x", "option db that is no number"),
        ("redis://h?db=1&db=1", "option db twice"),
        ("redis://h?ssl=true", "option ssl, which flows does not know: write rediss://"),
        ("redis://h?family=0", "option family, which flows does not know"),
        ("redis://h?decode_responses", "form name=value"),
        ("redis://h?ssl_cert_reqs=none", "option ssl_cert_reqs, which needs rediss://"),
        ("rediss://h?ssl_cert_reqs=maybe", "option ssl_cert_reqs that is not understood: write none, optional"),
        ("rediss://h?ssl_check_hostname=maybe", "option ssl_check_hostname that is not understood"),
        ("rediss://h?ssl_min_version=9", "option ssl_min_version that is not understood"),
        ("rediss://h?ssl_include_verify_flags=NO", "option ssl_include_verify_flags that is not understood"),
        ("rediss://h?ssl_ca_certs=", "option ssl_ca_certs that is not understood: it is empty"),
        ("rediss://h?ssl_keyfile=k.pem", "option ssl_keyfile without ssl_certfile: give both"),
        ("rediss://h?ssl_password=x", "option ssl_password without ssl_certfile"),
        ("redis://h?password=a&b=c", "does not know behind a user name or password: write %26"),
        ("redis://:a\udcff@h", "bytes that are no UTF-8: percent-encode"),
        ("redis://word@h", "one word before its @"),
        ("redis://a:b@h?password=c", "give them once"),
        ("redis://:%ff@h", "UTF-8"),
        ("unix://run/a.sock", "three slashes"),
        ("unix://", "three slashes"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, problem: str) -> None:
    """Where the flow is declared, by the name of the option where it is one."""
    with pytest.raises(DeclarationError, match=f"the server URL of redis_url .*({problem})"):
        parse_server_url(url)


@pytest.mark.parametrize(("mark", "code"), [("#", "%23"), ("/", "%2F"), ("@", "%40"), ("?", "%3F"), ("%", "%25")])
def test_a_password_that_was_not_percent_encoded_is_named_as_such(mark: str, code: str) -> None:
    """The message says which code to write in place of the character."""
    with pytest.raises(DeclarationError, match=f"was not percent-encoded.*{code}"):
        parse_server_url(f"redis://me:{SECRET}{mark}{SECRET}@h:6379/0")


@pytest.mark.parametrize("url", [b"redis://h", 5])
def test_what_is_no_text_is_refused(url: Any) -> None:
    """As bytes from a file or an object of another library are."""
    with pytest.raises(DeclarationError, match=f"redis_url is a {type(url).__name__}: give a str"):
        FlowOptions("shop", [QueueOptions("pick", job=Job)], redis_url=url)


def test_no_part_of_a_password_is_shown() -> None:
    """Neither by the error when the flow is declared, nor by what it stands on, nor where the URL is good after all."""
    for url in MALFORMED:
        found: list[str] = []
        try:
            options = FlowOptions("shop", [QueueOptions("pick", job=Job)], redis_url=url)
            found += [repr(options), str(parse_server_url(url)), repr(parse_server_url(url))]
        except DeclarationError as error:
            found += [repr(error), repr(error.__cause__), repr(error.__context__)]
        assert not [part for part in PARTS if part in "".join(found)], url


@given(st.lists(st.sampled_from([*":/@?#[]%&=+,$ \n\x00\\.0a", SECRET]), max_size=9).map("".join))
def test_any_text_is_a_url_or_a_clear_error(text: str) -> None:
    """Nothing but DeclarationError is raised, whatever stands where, and a password before the host is never shown."""
    for url in (text, f"redis://{text}", f"redis://h{text}", f"unix://{text}", f"rediss://u:{SECRET}{text}@h"):
        try:
            shown = str(parse_server_url(url))
        except DeclarationError as error:
            shown = f"{error!r}{error.__cause__!r}{error.__context__!r}"
        assert SECRET not in shown or not url.startswith("rediss://u")

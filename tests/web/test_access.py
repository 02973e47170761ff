import pytest
from starlette.requests import Request

from digest.web.access import Access, Denied, client_of, host_name, is_local
from tests.web.worlds import TOKEN


def request(client: str | None = "127.0.0.1", host: str = "localhost:8080", query: str = "",
            **headers: str) -> Request:
    raw = [(b"host", host.encode()), *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())]
    return Request({"type": "http", "method": "GET", "path": "/preview", "query_string": query.encode(),
                    "headers": raw, "client": (client, 50000) if client else None})


@pytest.mark.parametrize(("asked", "allowed"), [
    (request(), True),
    (request(host="127.0.0.1"), True),
    (request(client="::1", host="[::1]:8080"), True),
    (request(client="127.8.8.8", host="LOCALHOST"), True),
    (request(client="192.0.2.7"), False),  # from elsewhere
    (request(client=None), False),  # a socket without an address
    (request(host="rebound.example:8080"), False),  # a foreign name that was pointed at this machine
    (request(host="localhost.evil.example"), False),
    (request(host=""), False),
    (request(x_forwarded_for="192.0.2.7"), False),  # a proxy on this machine speaks for somebody else
    (request(x_forwarded_host="localhost"), False),
    (request(forwarded="for=192.0.2.7"), False),
    (request(x_real_ip="192.0.2.7"), False),
    (request(client="192.0.2.7", host="news.example.org", query=f"token={TOKEN}"), True),
    (request(host="news.example.org", query=f"token={TOKEN}", x_forwarded_for="192.0.2.7"), True),
    (request(client="192.0.2.7", query="token=wrong"), False),
    (request(client="192.0.2.7", query="token="), False),
])
def test_who_may_see_operators_pages(asked: Request, allowed: bool) -> None:
    access = Access(TOKEN)
    if allowed:
        access.check(asked)
    else:
        with pytest.raises(Denied):
            access.check(asked)


def test_without_a_token_no_token_opens() -> None:
    with pytest.raises(Denied):
        Access("").check(request(client="192.0.2.7", query="token="))


def test_two_host_headers_are_not_local() -> None:
    doubled = request()
    doubled.scope["headers"].append((b"host", b"evil.example"))
    assert not is_local(Request(doubled.scope))


@pytest.mark.parametrize(("host", "name"), [
    ("localhost:8080", "localhost"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("Example.ORG", "example.org"),
    ("", ""),
])
def test_host_names_lose_their_port(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(("asked", "client"), [
    (request(client="192.0.2.7"), "192.0.2.7"),
    (request(client="192.0.2.7", x_forwarded_for="198.51.100.1"), "192.0.2.7"),  # who is no proxy is not believed
    (request(x_forwarded_for="192.0.2.7"), "192.0.2.7"),
    (request(x_forwarded_for="10.0.0.1, 192.0.2.7, 127.0.0.1"), "192.0.2.7"),  # what the visitor wrote is not read
    (request(client="::1", x_forwarded_for="2001:db8::1"), "2001:db8::1"),
    (request(x_forwarded_for="unknown"), "127.0.0.1"),
    (request(x_forwarded_for=""), "127.0.0.1"),
    (request(client=None), ""),
])
def test_whom_a_form_comes_from(asked: Request, client: str) -> None:
    assert client_of(asked, ("127.0.0.1", "::1")) == client

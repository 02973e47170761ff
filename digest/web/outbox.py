"""/outbox: mail that was written to files because no SMTP server is set. For operators only."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from digest.errors import NotFound
from digest.web.access import Access, token_query
from digest.web.pages import FRAMED, Pages, open_links_outside

LISTED = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail of the list; `size` in bytes."""

    name: str
    subject: str
    to: str
    date: str
    size: int


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, read: headers in their order, the html and text parts ("" where missing)."""

    subject: str
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str


def router(folder: Path, pages: Pages, access: Access) -> APIRouter:
    """Routes of /outbox over the .eml files in `folder`, which need not exist yet."""
    routes = APIRouter(dependencies=[Depends(access.check)])

    @routes.get("/outbox")
    def outbox(request: Request) -> HTMLResponse:
        files = newest_first(folder)
        mails = list(entries(files[:LISTED]))
        return pages.html("web/outbox.html", mails=mails, more=len(files) - len(mails), query=token_query(request))

    @routes.get("/outbox/{name}")
    def one_mail(request: Request, name: str) -> HTMLResponse:
        mail = read_mail(file_of(folder, name))
        query = token_query(request)
        frame = f"{request.url.path}/html{query}"
        return pages.html("web/outbox-mail.html", mail=mail, frame=frame, query=query)

    @routes.get("/outbox/{name}/html")
    def html_part(name: str) -> Response:
        mail = read_mail(file_of(folder, name))
        return HTMLResponse(open_links_outside(mail.html), headers=FRAMED)

    return routes


def newest_first(folder: Path) -> list[Path]:
    """The .eml files of a folder by time of writing, newest first; [] where there is no folder."""
    found = [(path.stat().st_mtime_ns, path.name, path) for path in folder.glob("*.eml")]
    return [path for _, _, path in sorted(found, reverse=True)]


def file_of(folder: Path, name: str) -> Path:
    """The file of a mail. Only names that the folder lists exist, so that no path leads out of it."""
    for path in newest_first(folder):
        if path.name == name:
            return path
    raise NotFound("mail", name)


def entries(paths: list[Path]) -> Iterator[Entry]:
    for path in paths:
        message = _message(path)
        yield Entry(path.name, str(message["Subject"] or ""), str(message["To"] or ""), str(message["Date"] or ""),
                    path.stat().st_size)


def read_mail(path: Path) -> Mail:
    message = _message(path)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    return Mail(
        subject=str(message["Subject"] or ""),
        headers=tuple((name, str(value)) for name, value in message.items()),
        html=str(html.get_content()) if isinstance(html, EmailMessage) else "",
        text=str(text.get_content()) if isinstance(text, EmailMessage) else "",
    )


def _message(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message

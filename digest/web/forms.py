"""Forms of visitors: URL-encoded, small, read whole; and the page that says a few plain words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.errors import NotFound, TokenError
from digest.services import limits
from digest.web.pages import Pages

MAX_FORM_BYTES = 8192
MAX_FIELDS = 200
PRIVATE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form; a name may stand several times, as ticked boxes do."""

    values: Mapping[str, list[str]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The last value of a name; "" where there is none."""
        return self.values.get(name, [""])[-1]


async def read_form(request: Request) -> Form:
    """The fields of a URL-encoded form. Answers 413 to a large one; one of another kind has no fields."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, "The form is larger than an address can be.")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Form()
    try:
        return Form(parse_qs(body.decode(), max_num_fields=MAX_FIELDS))
    except ValueError:
        return Form()


Fields = Annotated[Form, Depends(read_form)]


def admit(app: App, client: str) -> None:
    """Counts a form that has mail sent, in a transaction of its own. Raises LimitReached."""
    with app.engine.begin() as conn:
        limits.admit_network(conn, client, app.settings.sign_up, app.signer(), app.clock.now())


def notice(pages: Pages, title: str, paragraphs: list[str], *, language: str, button: str = "",
           status: int = 200) -> HTMLResponse:
    """A page of plain words, with one button that POSTs to its own address where `button` names it."""
    response = pages.html("web/personal.html", language=language, status=status, title=title, paragraphs=paragraphs,
                          button=button)
    response.headers.update(PRIVATE)
    return response


def bad_link(pages: Pages, error: TokenError | NotFound, advice: str, language: str) -> HTMLResponse:
    """What is said of a link that does not work: 400 for a wrong token, 404 for what is gone."""
    gettext = pages.renderer.words(language).gettext
    reasons = {"expired": gettext("It has expired."), "used already": gettext("It was used already.")}
    reason = (reasons.get(error.reason, gettext("It is not valid.")) if isinstance(error, TokenError)
              else gettext("What it was for does not exist any more."))
    return notice(pages, gettext("This link does not work"), [reason, advice], language=language,
                  status=400 if isinstance(error, TokenError) else 404)

"""/a/{token}/alert/{id} and /a/{token}/rule/{id}: what an alert mail's links open. GET shows, buttons POST.
/alerts/feed/{key}.atom: what a rule told, for who knows the address.
"""

import hashlib

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from digest.app import App
from digest.errors import NotFound, QueryError, RuleRefused, TokenError
from digest.pipeline.alerts import why_in_words
from digest.pipeline.syndication import ATOM_TYPE
from digest.query.quote import marked
from digest.services import alert_answers, alert_channels, alert_standings, own_alerts, preferences
from digest.services.alert_answers import Answer, Told
from digest.storage.engine import read_only
from digest.web.forms import PRIVATE, Fields, Form
from digest.web.pages import Pages
from digest.web.preferences import bad_reader_link

LONGEST_ID = 9  # digits


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /a/{token}/alert/{alert_id}, /a/{token}/rule/{rule_id} and /alerts/feed/{key}.atom."""
    routes = APIRouter()
    _add_answers(routes, app, pages)
    _add_rules(routes, app, pages)
    _add_feed(routes, app)
    return routes


def _add_feed(routes: APIRouter, app: App) -> None:
    @routes.get("/alerts/feed/{key}.atom")
    def feed(key: str, request: Request) -> Response:
        """404 where the address is none, or its channel was paused or removed."""
        with read_only(app.engine) as conn:
            text = alert_channels.feed(conn, key, app.settings, app.clock.now())
        etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "private, max-age=60", "X-Robots-Tag": "noindex"}
        if etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(text, media_type=ATOM_TYPE, headers=headers)


def _add_answers(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/a/{token}/alert/{alert_id}")
    def show(token: str, alert_id: str, say: str = "") -> HTMLResponse:
        try:
            with read_only(app.engine) as conn:
                found = alert_answers.told(conn, _mark(app, token), _number(alert_id), app.clock.now())
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        return _told(pages, found, token, say)

    @routes.post("/a/{token}/alert/{alert_id}")
    def say(token: str, alert_id: str, fields: Fields) -> HTMLResponse:
        now = app.clock.now()
        said = fields.get("say")
        try:
            with app.engine.begin() as conn:
                found = alert_answers.told(conn, _mark(app, token), _number(alert_id), now)
                if said not in tuple(Answer):
                    return _told(pages, found, token, status=422)
                alert_answers.answer(conn, found, Answer(said), now)
                found = alert_answers.told(conn, _mark(app, token), found.alert.id, now)
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        return _told(pages, found, token, noted=True)


def _add_rules(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/a/{token}/rule/{rule_id}")
    def show(token: str, rule_id: str) -> HTMLResponse:
        return _rule(app, pages, token, rule_id)

    @routes.post("/a/{token}/rule/{rule_id}")
    def save(token: str, rule_id: str, fields: Fields) -> HTMLResponse:
        values = {name: words[-1] for name, words in fields.values.items()}
        try:
            with app.engine.begin() as conn:
                rule = own_alerts.rule_of(conn, _mark(app, token), _number(rule_id))
                spec = own_alerts.spec_of(values, app.configuration, rule.spec)
                own_alerts.save(conn, rule, spec, paused=bool(fields.get("paused")), now=app.clock.now())
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        except (QueryError, RuleRefused) as error:
            return _rule(app, pages, token, rule_id, refused=error, typed=fields)
        return _rule(app, pages, token, rule_id, saved=True)


def _mark(app: App, token: str) -> str:
    return app.signer().read("unsubscribe", token, app.clock.now())


def _number(text: str) -> int:
    """The id in an address. Raises NotFound."""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID):
        raise NotFound("alert", text[:60])
    return int(text)


def _told(pages: Pages, found: Told, token: str, say: str = "", *, noted: bool = False,
          status: int = 200) -> HTMLResponse:
    words = pages.renderer.words(pages.language)
    response = pages.html(
        "web/alert.html", status=status, told=found, token=token, say=say, noted=noted,
        pieces=marked(found.alert.sentence, found.alert.words),
        why=[why_in_words(trigger, words) for trigger in found.alert.why])
    response.headers.update(PRIVATE)
    return response


def _rule(app: App, pages: Pages, token: str, rule_id: str, *, saved: bool = False,
          refused: QueryError | RuleRefused | None = None, typed: Form | None = None) -> HTMLResponse:
    """The page of a rule: its form, what it did, and how to stop it; 422 where what was typed cannot be."""
    try:
        with read_only(app.engine) as conn:
            rule = own_alerts.rule_of(conn, _mark(app, token), _number(rule_id))
            standing = alert_standings.of_rules(conn, [rule], app.configuration.feeds, app.clock.now())[0]
    except (TokenError, NotFound) as error:
        return bad_reader_link(pages, error)
    form = own_alerts.form_of(rule.spec)
    values = {**form.values, **({name: typed.get(name) for name in form.values if name in typed.values}
                                if typed else {})}
    response = pages.html(
        "web/alert-rule.html", status=422 if refused else 200, rule=rule, standing=standing, form=form, values=values,
        token=token, saved=saved, refused=refused, zones=preferences.zones(), zone=app.zone,
        is_paused=bool(typed.get("paused")) if typed and refused else rule.state == "paused")
    response.headers.update(PRIVATE)
    return response

"""/alerts/new: making an alert rule without an account, where the operator allows it. GET shows, buttons POST."""

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from digest.alert_rules import AlertRule, AlertSpec
from digest.app import App
from digest.errors import AddressRefused, NotFound, QueryError, RuleRefused, TokenError
from digest.query.quote import marked
from digest.services import alert_sign_ups, alert_trials, own_alerts, preferences
from digest.services.alert_trials import Trial
from digest.storage.engine import read_only
from digest.web.access import client_of
from digest.web.forms import PRIVATE, Fields, admit, bad_link, notice
from digest.web.pages import Pages

TRIED = timedelta(days=30)
PLAIN = AlertSpec(query="news", ceiling=20)  # what a new form shows, but for its query
EMPTY = dict.fromkeys((*own_alerts.FIELDS, "email"), "")
LONGEST = 2000  # characters of a query


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /alerts/new and /alerts/new/{token}."""
    routes = APIRouter()
    _add_form(routes, app, pages)
    _add_confirmation(routes, app, pages)
    return routes


def _add_form(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/alerts/new")
    def show() -> HTMLResponse:
        _check_open(app)
        return _form(app, pages, {**EMPTY, **own_alerts.form_of(PLAIN).values, "query": ""})

    @routes.post("/alerts/new")
    def ask(fields: Fields, request: Request) -> HTMLResponse:
        _check_open(app)
        admit(app, client_of(request, app.settings.server.proxies))
        values = {**EMPTY, **{name: said[-1] for name, said in fields.values.items()}}
        try:
            spec = own_alerts.spec_of({**values, own_alerts.WHOLE: "1", "query": values["query"][:LONGEST]},
                                      app.configuration)
            if fields.get("do") != "ask":
                now = app.clock.now()
                trial = alert_trials.try_rule(app.engine, spec, app.configuration, since=now - TRIED, now=now,
                                              zone=app.zone)
                return _form(app, pages, values, trial=trial)
            if not fields.get("website"):  # only a machine fills the field that nobody sees
                _ask(app, pages, spec, fields.get("email"))
        except (QueryError, RuleRefused, AddressRefused) as error:
            return _form(app, pages, values, refused=error)
        return _asked(pages)


def _add_confirmation(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/alerts/new/{token}")
    def show(token: str) -> HTMLResponse:
        try:
            with read_only(app.engine) as conn:
                rule = alert_sign_ups.read_confirmation(conn, token, app.signer(), app.clock.now())
        except TokenError as error:
            return _bad_link(pages, error)
        return _to_confirm(pages, rule) if rule.state == "pending" else _confirmed(pages, rule)

    @routes.post("/alerts/new/{token}")
    def confirm(token: str) -> HTMLResponse:
        now = app.clock.now()
        try:
            with app.engine.begin() as conn:
                rule = alert_sign_ups.read_confirmation(conn, token, app.signer(), now)
                alert_sign_ups.confirm(conn, rule, now)
        except TokenError as error:
            return _bad_link(pages, error)
        return _confirmed(pages, rule)


def _check_open(app: App) -> None:
    if not app.settings.alerts.open:
        raise NotFound("page", "/alerts/new")


def _ask(app: App, pages: Pages, spec: AlertSpec, email: str) -> None:
    with app.engine.begin() as conn:
        alert_sign_ups.ask(conn, spec, email, settings=app.settings, signer=app.signer(), renderer=pages.renderer,
                           language=pages.language, now=app.clock.now())


def _form(app: App, pages: Pages, values: dict[str, str], *, trial: Trial | None = None,
          refused: QueryError | RuleRefused | AddressRefused | None = None) -> HTMLResponse:
    """The form with what was typed; with a trial of it, or with why it cannot be (422)."""
    samples = [(hit.item, marked(hit.quote.sentence, hit.quote.words)) for hit in trial.samples] if trial else []
    reason = refused.reason if isinstance(refused, AddressRefused) else ""
    response = pages.html(
        "web/new-alert.html", status=422 if refused else 200, values=values, form=own_alerts.form_of(PLAIN),
        trial=trial, samples=samples, days=TRIED.days, refused=refused, zones=preferences.zones(), zone=app.zone,
        address_reason=pages.renderer.words(pages.language).gettext(reason) if reason else "")
    response.headers.update(PRIVATE)
    return response


def _asked(pages: Pages) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    return notice(pages, gettext("Look into your mailbox"), [
        gettext("If this address can have the alert, a mail with a link is on its way to it."),
        gettext("Nothing is sent before you confirm. Nothing came? Look among the spam, or try again in an hour.")],
        language=pages.language)


def _to_confirm(pages: Pages, rule: AlertRule) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    return notice(pages, gettext("One click to go"), [
        gettext("The alert looks for: {query}").format(query=rule.query),
        gettext("Press the button, and what is published from now on is told to you. Every mail lets you stop it.")],
        button=gettext("Yes, alert me"), language=pages.language)


def _confirmed(pages: Pages, rule: AlertRule) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    return notice(pages, gettext("Your alert is on"), [
        gettext("The alert looks for: {query}").format(query=rule.query),
        gettext("Each of its mails has a link to change or stop it.")], language=pages.language)


def _bad_link(pages: Pages, error: TokenError) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    advice = gettext("Make the alert again at {address} to get a new one.").format(address="/alerts/new")
    return bad_link(pages, error, advice, pages.language)

"""Every exception type of the product, with the fields that a handler needs.

DigestError
├── ConfigError          a document is wrong (path, line, key, hint)
│   └── ConfigConflict   files and database both moved
├── NotFound             a named thing does not exist (kind, name, known)
├── NameTaken            a name belongs to another thing of its kind (kind, name, hint)
├── FetchError           a feed could not be fetched (url, kind, permanent)
├── ParseError           a document is no feed (url, kind)
├── QueryError           a query is wrong (query, position, expected, hint)
├── EditionClosed        an edition is past what was asked of it (edition, state)
├── ActionRefused        a change at the desk cannot be made (reason, hint)
├── ApprovalStale        an edition changed since it was looked at (edition, seen, current)
├── SendRefused          mail may not leave (reason, hint)
├── DeliveryError        a mail attempt failed (recipient, code, enhanced, permanent, server)
├── MailboxError         the mailbox of bounces cannot be read
├── WebhookRefused       what was posted is not of the provider, or not as agreed (reason, status)
├── DnsFailure           DNS did not answer (name, kind, reason)
├── AddressRefused       an e-mail address cannot be used (address, reason)
├── PreferenceRefused    a preference is none that a reader can have (name, value, reason)
├── LimitReached         too many forms came from one network (retry_after)
├── ImportRefused        a file of subscribers cannot be read (reason, hint)
├── TokenError           a signed link is forged, foreign or expired (reason)
└── ArchiveError         a recorded archive cannot be read (path, line)
"""

from datetime import datetime, timedelta


class DigestError(Exception):
    """Base of all errors that the product raises on purpose; `str()` says what, which one and what to do."""


class ConfigError(DigestError):
    """A configuration document is wrong. `line` counts from 1; None where the key is missing."""

    def __init__(self, path: str, message: str, *, line: int | None = None, key: str | None = None, hint: str = ""):
        self.path, self.line, self.key, self.message, self.hint = path, line, key, message, hint
        place = path if line is None else f"{path}:{line}"
        subject = f"{key}: " if key else ""
        super().__init__(f"{place}: {subject}{message}" + (f" ({hint})" if hint else ""))


class ConfigConflict(ConfigError):
    """Files and database both moved since they were last equal."""


class NotFound(DigestError):
    """A named thing does not exist; `known` lists what does."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...] = (), hint: str = ""):
        self.kind, self.name, self.known, self.hint = kind, name, known, hint
        tail = f"; known: {', '.join(known)}" if known else ""
        super().__init__(f"no {kind} {name!r}{tail}" + (f" ({hint})" if hint else ""))


class NameTaken(DigestError):
    """A name belongs to another thing of its kind."""

    def __init__(self, kind: str, name: str, hint: str):
        self.kind, self.name, self.hint = kind, name, hint
        super().__init__(f"another {kind} is called {name!r} ({hint})")


class RuleInDocument(DigestError):
    """An alert rule that a document of config/alerts/ holds is changed there."""

    def __init__(self, name: str, path: str):
        super().__init__(f"alert rule {name!r} is held by config/{path} (edit it there, it is taken up by itself)")


class FetchError(DigestError):
    """A feed could not be fetched.

    `kind` is a stable word: dns, tls, timeout, connect, too_large, blocked_address, redirects, bad_url,
    http_404, http_500 ... `permanent` says that trying again soon cannot help.
    """

    def __init__(self, url: str, kind: str, message: str, *, permanent: bool = False, status: int | None = None,
                 retry_after_seconds: int | None = None):
        self.url, self.kind, self.permanent, self.status = url, kind, permanent, status
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{url}: {message}")


class ParseError(DigestError):
    """A document is no feed. `kind`: empty, html_not_feed, not_a_feed, malformed, parse_timeout, parse_crash."""

    def __init__(self, url: str, kind: str, message: str):
        self.url, self.kind = url, kind
        super().__init__(f"{url}: {message}")


class QueryError(DigestError):
    """A query cannot be read. `position` counts characters from 0."""

    def __init__(self, query: str, position: int, message: str, *, expected: str = "", hint: str = ""):
        self.query, self.position, self.message, self.expected, self.hint = query, position, message, expected, hint
        tail = f"; expected {expected}" if expected else ""
        super().__init__(f"{message} at character {position + 1}{tail}" + (f" ({hint})" if hint else ""))


class EditionClosed(DigestError):
    """An edition is in a state in which what was asked of it cannot be done."""

    def __init__(self, edition: str, state: str, hint: str = ""):
        self.edition, self.state, self.hint = edition, state, hint
        super().__init__(f"edition {edition} is {state}" + (f" ({hint})" if hint else ""))


class ActionRefused(DigestError):
    """A change at the desk cannot be made."""

    def __init__(self, reason: str, hint: str = ""):
        self.reason, self.hint = reason, hint
        super().__init__(reason + (f" ({hint})" if hint else ""))


class ApprovalStale(DigestError):
    """An edition changed since it was looked at. `seen` and `current` are SHA-256 of views, in hex."""

    def __init__(self, edition: str, seen: str, current: str):
        self.edition, self.seen, self.current = edition, seen, current
        super().__init__(f"edition {edition} changed: approval is for {seen}, it is {current} now "
                         f"(digest editions show {edition}, then approve again)")


class SendRefused(DigestError):
    """Mail may not leave this instance as it is set up."""

    def __init__(self, reason: str, hint: str):
        self.reason, self.hint = reason, hint
        super().__init__(f"sending refused: {reason} ({hint})")


class DeliveryError(DigestError):
    """One attempt to hand over a mail failed.

    `code` is the SMTP reply code, None where none came; `enhanced` the status code in it, such as "5.1.1" (RFC 3463),
    None where there was none. `server` says that the server as a whole did not serve (connection, greeting, TLS,
    log-in, 421, rate used up): other mail would fail as well. `retry_at`, where it is known, is when the mail's turn
    comes: until then nothing was tried, and the wait counts against neither recipient nor mail.
    """

    def __init__(self, recipient: str, message: str, *, code: int | None = None, enhanced: str | None = None,
                 permanent: bool = False, server: bool = False, retry_at: datetime | None = None):
        self.recipient, self.code, self.enhanced = recipient, code, enhanced
        self.permanent, self.server, self.retry_at = permanent, server, retry_at
        super().__init__(f"{recipient}: {message}")


class MailboxError(DigestError):
    """The mailbox in which bounces arrive cannot be read; trying again later may help."""


class WebhookRefused(DigestError):
    """What was posted to a webhook is not taken in. `status` is that of the HTTP answer."""

    def __init__(self, reason: str, status: int):
        self.reason, self.status = reason, status
        super().__init__(reason)


class DnsFailure(DigestError):
    """DNS gave no answer, which is not the answer that there is none. `kind` is the type of record."""

    def __init__(self, name: str, kind: str, reason: str):
        self.name, self.kind, self.reason = name, kind, reason
        super().__init__(f"DNS does not answer for {kind} of {name}: {reason}")


class AddressRefused(DigestError):
    """An e-mail address cannot be used; `reason` says why in a plain sentence, marked for the catalogues."""

    def __init__(self, address: str, reason: str):
        self.address, self.reason = address, reason
        super().__init__(f"{address!r} cannot be used. {reason}")


class PreferenceRefused(DigestError):
    """A preference is none that a reader of the newsletter can have; `reason` says what there is."""

    def __init__(self, name: str, value: str, reason: str):
        self.name, self.value, self.reason = name, value, reason
        super().__init__(f"{name} cannot be {value!r}: {reason}")


class RuleRefused(DigestError):
    """An alert rule cannot be as a form says; `key` is that of the rule's value, "" where it is none alone."""

    def __init__(self, key: str, reason: str):
        self.key, self.reason = key, reason
        super().__init__(f"{key}: {reason}" if key else reason)


class ChannelRefused(DigestError):
    """An address is none that alerts can be told to."""

    def __init__(self, kind: str, reason: str):
        self.kind, self.reason = kind, reason
        super().__init__(f"the {kind} address {reason}")


class LimitReached(DigestError):
    """Too many forms came from one network; after `retry_after` one will pass."""

    def __init__(self, retry_after: timedelta):
        self.retry_after = retry_after
        super().__init__("too many forms came from this network; try again later")


class ImportRefused(DigestError):
    """A file of subscribers cannot be read at all."""

    def __init__(self, reason: str, hint: str):
        self.reason, self.hint = reason, hint
        super().__init__(f"the file cannot be imported: {reason} ({hint})")


class TokenError(DigestError):
    """A signed link is forged, of another kind, or expired."""

    def __init__(self, reason: str):
        self.reason = reason
        super().__init__(f"this link is {reason}")


class ArchiveError(DigestError):
    """A recorded archive cannot be read."""

    def __init__(self, path: str, message: str, *, line: int | None = None):
        self.path, self.line = path, line
        super().__init__(f"{path}{f':{line}' if line else ''}: {message}")

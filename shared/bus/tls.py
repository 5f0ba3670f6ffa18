"""Whom we trust to be the broker, and what a failed TLS handshake means to whoever has to mend it."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.bus.broker_address import BrokerAddress

# Numbers of OpenSSL's X509_V_ERR_*. Source: openssl-verification-options(1) and x509_vfy.h.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_OTHER_NAME = {62, 64}
_MAKE = "`make certificates`"
_TOLD_BEFORE = timedelta(days=30)
_SPEAKS_NO_TLS = {"WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE"}


class TrustError(ValueError):
    """The certificate of the authority cannot be used; the text says why, and what to do."""


def trust(ca_file: str | None) -> ssl.SSLContext:
    """Trusts the authority of this file alone, or those of the system. Names are verified. Raises TrustError."""
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except FileNotFoundError as error:
        message = f"broker.ca_file: there is no {ca_file}. Fix: copy authority.crt here from where {_MAKE} was run."
        raise TrustError(message) from error
    except (ssl.SSLError, OSError) as error:
        what = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        wanted = f"give the authority.crt that {_MAKE} has written, readable for this user"
        message = f"broker.ca_file: {Path(ca_file)} cannot be used: {what}. Fix: {wanted}."
        raise TrustError(message) from error


def soon_expired(opened: object, now: datetime) -> str | None:
    """A warning, when the certificate at the other end of this socket ends within 30 days."""
    certificate = opened.getpeercert() if isinstance(opened, ssl.SSLSocket) else None
    ends_text = (certificate or {}).get("notAfter")
    if not isinstance(ends_text, str):
        return None
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends_text), UTC)
    if ends - now > _TOLD_BEFORE:
        return None
    return f"the broker's certificate expires on {ends:%Y-%m-%d}. Fix: {_MAKE} again, restart the broker"


def explain(error: OSError, to: BrokerAddress) -> str:
    """What went wrong between us and the broker, and the fix."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_refused(error.verify_code, error.verify_message, to.host, to.ca_file)
    # Who expects MQTT hangs up at the first word of TLS.
    hung_up = to.tls and isinstance(error, ConnectionResetError | BrokenPipeError)
    if hung_up or (isinstance(error, ssl.SSLError) and error.reason in _SPEAKS_NO_TLS):
        return "no TLS is spoken on this port. Fix: the broker's TLS port is 8883, or write mqtt:// for one without TLS"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return f"{error}. Fix: start the broker, or correct broker.url"


def _certificate_refused(code: int, text: str, host: str, ca_file: str | None) -> str:
    if code == _EXPIRED:
        return (
            f"its certificate has expired. Fix: {_MAKE} again, restart the broker; if not, this machine's clock is off"
        )
    if code == _NOT_YET_VALID:
        return (
            "its certificate is not valid yet. Fix: this machine's clock, or that of the one that made the certificate"
        )
    if code in _OTHER_NAME:
        return f"its certificate is not for {host}. Fix: make certificates ARGS='--host {host}', restart the broker"
    if code in _UNKNOWN_AUTHORITY:
        known = "broker.ca_file is missing" if ca_file is None else f"{ca_file} is another authority's"
        return (
            f"nobody known here vouches for its certificate: {known}. Fix: broker.ca_file: the broker's authority.crt"
        )
    return f"its certificate is refused: {text}. Fix: {_MAKE} again, restart the broker"

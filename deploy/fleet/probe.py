"""Why a broker cannot be used: looked at step by step, from its name to its password."""

import socket
import ssl
from contextlib import suppress

from deploy.fleet.finding import Finding
from deploy.fleet.reach import PASSWORD_VARIABLE, URL_VARIABLE
from shared.bus import BrokerAddress

SILENT = "broker_silent"
"""It can be reached, and says nothing: it may yet."""
_SECONDS = 4.0
_WHO_ARE_YOU = ("Not authorized", "Bad user name or password")
# Numbers of OpenSSL's X509_V_ERR_*. Source: x509_vfy.h.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_OTHER_NAME = {62, 64}


def why_not(address: BrokerAddress, refusal: str) -> Finding:
    """`refusal`: what the link has complained of, if it has."""
    if any(text in refusal for text in _WHO_ARE_YOU):
        return _refused(address)
    unreachable = _unreachable(address)
    if unreachable is not None:
        return unreachable
    sentence = refusal or f"{address} accepts the connection, and does not answer as a broker does"
    return Finding(SILENT, str(address), f"{sentence}.", f"look at the broker's log; is {URL_VARIABLE} its MQTT port?")


def _refused(address: BrokerAddress) -> Finding:
    who = f"user {address.username}" if address.username else "anybody without a password"
    fix = (
        f"{PASSWORD_VARIABLE} in .env must be what the broker was started with: `make env` gives one where there is "
        "none, then start the broker again; with a broker of your own, give it this user and password"
    )
    return Finding("wrong_password", str(address), f"The broker does not accept {who}.", fix)


def _unreachable(address: BrokerAddress) -> Finding | None:
    about = str(address)
    try:
        opened = socket.create_connection((address.host, address.port), timeout=_SECONDS)
    except socket.gaierror:
        sentence = f"Nobody knows the name {address.host}."
        return Finding("broker_unreachable", about, sentence, f"correct {URL_VARIABLE} in .env, or --broker")
    except TimeoutError:
        fix = "is the machine on, and is the port open in its firewall?"
        return Finding("broker_unreachable", about, f"No answer within {_SECONDS:g} s.", fix)
    except OSError as error:
        sentence = f"{error.strerror or error}: no broker listens there; the services cannot hear one another."
        fix = f"docker compose up --detach mosquitto; or correct {URL_VARIABLE} or SUNHERD_BROKER_PORT in .env"
        return Finding("broker_unreachable", about, sentence, fix)
    with opened:
        return _tls_fault(address, opened) if address.tls else None


def _tls_fault(address: BrokerAddress, opened: socket.socket) -> Finding | None:
    about, context = str(address), ssl.create_default_context()
    try:
        with context.wrap_socket(opened, server_hostname=address.host) as wrapped, suppress(OSError):
            wrapped.unwrap()
    except ssl.SSLCertVerificationError as error:
        return Finding("broker_tls", about, *_certificate(error, address.host))
    except TimeoutError:
        return Finding("broker_tls", about, f"No TLS handshake within {_SECONDS:g} s.", "look at the broker's log")
    except OSError:
        sentence = "No TLS is spoken on this port."
        return Finding("broker_tls", about, sentence, "the TLS port is usually 8883; write mqtt:// for one without TLS")
    return None


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> tuple[str, str]:
    again = "`make certificates` again, then start the broker anew"
    if error.verify_code == _EXPIRED:
        return "The broker's certificate has expired.", f"{again}; if it should not have, this machine's clock is off"
    if error.verify_code == _NOT_YET_VALID:
        return "The broker's certificate is not valid yet.", "this machine's clock, or that of the one that made it"
    if error.verify_code in _OTHER_NAME:
        fix = f"make certificates ARGS='--host {host}', then start the broker anew; or reach it by a name that it has"
        return f"The broker's certificate is not for {host}.", fix
    if error.verify_code in _UNKNOWN_AUTHORITY:
        fix = "--ca-file with the authority.crt that `make certificates` has written beside the broker's"
        return "Nobody known here vouches for the broker's certificate.", fix
    return f"The broker's certificate is refused: {error.verify_message}.", again

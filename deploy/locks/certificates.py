"""The farm's own certificate authority, and the broker's certificate by it: `make certificates ARGS='--host NAME'`.

`certificates/` holds the authority and its key, and stays on this machine; `mosquitto/certificates/` what the broker
needs. Clients trust `authority.crt` (`broker.ca_file`). The same command renews.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.environment import BROKER_ID
from deploy.locks.signing import Authority, CertificateError, new_authority, new_server, pem, private_pem
from shared.clock import Clock, SystemClock

SERVER_DAYS = 397
SERVER_DAYS_MAX = 825
"""Some clients refuse certificates of a longer life."""
RENEW_DAYS = 30
ALWAYS = ("localhost", "127.0.0.1", "mosquitto")
"""This machine, and the broker's name among the containers."""


@dataclass(frozen=True)
class Places:
    """Where things lie."""

    authority: Path
    broker: Path

    @property
    def authority_key(self) -> Path:
        return self.authority / "authority.key"

    @property
    def authority_certificate(self) -> Path:
        return self.authority / "authority.crt"

    @property
    def server_key(self) -> Path:
        return self.broker / "server.key"

    @property
    def server_certificate(self) -> Path:
        return self.broker / "server.crt"


def make(places: Places, hosts: Sequence[str], days: int, clock: Clock) -> list[str]:
    """Makes or renews; says what was done, line by line. Raises CertificateError and OSError.

    The authority is made once and kept, so that a renewal needs nothing new at the clients. Without `hosts` a renewal
    keeps those of the last certificate.
    """
    now = clock.now()
    names = list(dict.fromkeys([*(hosts or _hosts_of_last(places)), *ALWAYS]))
    said = []
    if places.authority_key.exists() or places.authority_certificate.exists():
        authority = _known_authority(places, now)
    else:
        authority = _new_authority(places, now)
        said.append(
            f"Made the farm's authority, {places.authority_certificate}; keep {places.authority_key} to yourself."
        )
    expires = min(now + timedelta(days=days), authority.certificate.not_valid_after_utc)
    _new_server(places, authority, names, now, expires)
    first = f"[{names[0]}]" if ":" in names[0] else names[0]
    return [
        *said,
        f"Made the broker's certificate for {', '.join(names)}.",
        f"It expires on {expires:%Y-%m-%d}: run this again by {expires - timedelta(days=RENEW_DAYS):%Y-%m-%d}.",
        "Then restart the broker. Clients need authority.crt:",
        f"  broker: {{url: mqtts://{first}:8883, ca_file: {places.authority_certificate}}}",
    ]


def _known_authority(places: Places, now: datetime) -> Authority:
    try:
        key = serialization.load_pem_private_key(places.authority_key.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(places.authority_certificate.read_bytes())
    except (FileNotFoundError, ValueError) as error:
        message = (
            f"the authority in {places.authority} is not whole ({error}). Fix: bring the missing file back; or delete "
            "both, run this again, and give the new authority.crt to every client"
        )
        raise CertificateError(message) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        message = f"the key and the certificate in {places.authority} do not belong together. Fix: bring the right ones"
        raise CertificateError(message)
    if certificate.not_valid_after_utc - now < timedelta(days=RENEW_DAYS):
        message = (
            f"the farm's authority ends on {certificate.not_valid_after_utc:%Y-%m-%d}. Fix: delete {places.authority}, "
            "run this again, and give the new authority.crt to every client"
        )
        raise CertificateError(message)
    return Authority(key, certificate)


def _new_authority(places: Places, now: datetime) -> Authority:
    authority = new_authority(now)
    _folder(places.authority)
    _write(places.authority_key, private_pem(authority.key), 0o600)
    _write(places.authority_certificate, pem(authority.certificate), 0o644)
    return authority


def _new_server(places: Places, authority: Authority, names: list[str], now: datetime, expires: datetime) -> None:
    key, certificate = new_server(authority, names, now, expires)
    _folder(places.broker)
    # The key first: a broker that starts in between finds a pair that does not fit, and says so.
    _write(places.server_key, private_pem(key), 0o640)
    if os.geteuid() == 0:
        os.chown(places.server_key, BROKER_ID, BROKER_ID)
        places.server_key.chmod(0o600)
    _write(places.server_certificate, pem(certificate), 0o644)
    _write(places.broker / "authority.crt", pem(authority.certificate), 0o644)


def _hosts_of_last(places: Places) -> list[str]:
    """The names of the certificate that is to be renewed."""
    if not places.server_certificate.exists():
        message = "under which name do clients reach the broker? Fix: make certificates ARGS='--host broker.lan'"
        raise CertificateError(message)
    try:
        last = x509.load_pem_x509_certificate(places.server_certificate.read_bytes())
        names = last.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        message = f"{places.server_certificate} cannot be read. Fix: say its names anew, --host broker.lan"
        raise CertificateError(message) from error
    return [str(name.value) for name in names]


def _folder(folder: Path) -> None:
    """A folder that git leaves alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _write(file: Path, data: bytes, mode: int) -> None:
    """Replaces the file in one step; nobody but those whom `mode` names could ever read it."""
    temporary = file.with_name(file.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(data)
    temporary.chmod(mode)
    temporary.replace(file)


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """`make certificates`."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.locks.certificates",
        description="Makes the farm's own certificate authority, once, and the broker's certificate by it; the same "
        "command renews.",
        epilog="Example: --host broker.lan --host 192.168.1.10. Then restart the broker, and set broker.url to "
        "mqtts://broker.lan:8883 and broker.ca_file to authority.crt.",
    )
    parser.add_argument(
        "--host", action="append", default=[], help="a name or address by which clients reach the broker; repeatable"
    )
    parser.add_argument("--days", type=int, default=SERVER_DAYS, help="life of the broker's certificate (%(default)s)")
    parser.add_argument("--authority", type=Path, default=Path("certificates"), help="its directory (%(default)s)")
    parser.add_argument(
        "--broker", type=Path, default=Path("mosquitto/certificates"), help="the broker's (%(default)s)"
    )
    options = parser.parse_args(arguments)
    if not 1 <= options.days <= SERVER_DAYS_MAX:
        parser.error(f"--days takes 1 to {SERVER_DAYS_MAX}: some clients refuse a longer life")
    try:
        places = Places(options.authority, options.broker)
        lines = make(places, options.host, options.days, clock or SystemClock())
    except CertificateError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}. Fix: run this in the checkout, as its owner.\n")
        return 2
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

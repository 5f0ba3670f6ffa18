"""The broker that an embedded farm brings along: mosquitto where it is installed, else amqtt; each a child process."""

import atexit
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

from deploy import leash
from deploy.ports import accepts, any_free_port, is_free

DEFAULT_PORT = 1883
USERNAME = "sunherd"
HOST = "127.0.0.1"
READY_SECONDS = 15.0  # a small machine that starts everything at once needs more than five
STOP_SECONDS = 3.0

_LOG_BYTES_MAX = 1_000_000
_LOG_LINES_SHOWN = 5
_POLL_SECONDS = 0.01
_TRIES = 4

_MOSQUITTO_CONFIGURATION = """\
# Written anew at each start.
listener {port} {host}
{user}allow_anonymous false
password_file {directory}/users
acl_file {directory}/access
persistence true
persistence_location {directory}/
autosave_interval 30
persistent_client_expiration 1d
max_queued_messages 100000
max_inflight_messages 100
set_tcp_nodelay true
connection_messages false
log_dest stdout
log_type error
log_type warning
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


class BrokerError(Exception):
    """The broker could not be started; the text says why, and what to do."""


class PortInUseError(BrokerError):
    """Something else listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} on {HOST} is in use by another program. "
            "Fix: end that program, choose another port, or set broker.url to use it as the broker."
        )


class RunningBroker:
    """A broker as a child process. Belongs to the process that started it: a fork of that process cannot stop it."""

    def __init__(self, directory: Path, port: int, mosquitto: str | None) -> None:
        self.kind = "amqtt" if mosquitto is None else "mosquitto"
        self.port = port
        self.username = USERNAME
        self.password = _password(directory)
        self._directory = directory
        self._mosquitto = mosquitto
        self._owner = os.getpid()
        self.process = self._started()
        atexit.register(self.stop)

    @property
    def url(self) -> str:
        """The broker's address without the password."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def pid_file(self) -> Path:
        return self._directory / "pid"

    @property
    def log_file(self) -> Path:
        return self._directory / f"{self.kind}.log"

    def alive(self) -> bool:
        return self.process.poll() is None

    def restart(self) -> None:
        """Ends the process where it still runs, and starts it with the same port, password and memory."""
        _end(self.process)
        self.process = self._started()

    def stop(self) -> None:
        """Ends the process, which saves its memory before. May be called twice."""
        if os.getpid() == self._owner:
            _end(self.process)
            atexit.unregister(self.stop)

    def _started(self) -> subprocess.Popen[bytes]:
        command = self._amqtt_command() if self._mosquitto is None else self._mosquitto_command(self._mosquitto)
        with _opened_log(self.log_file) as log:
            self._log_begins_at = log.tell()
            # A session of its own: Ctrl-C in the terminal must leave the broker up for the services' farewells.
            process = subprocess.Popen(  # noqa: S603 - the command is ours
                [sys.executable, "-I", leash.__file__, str(os.getpid()), *command],
                cwd=Path(__file__).parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _write_private(self.pid_file, str(process.pid))
        try:
            self._wait_until_ready(process)
        except BrokerError:
            _end(process)
            raise
        return process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                tail = self._last_words()
                if "already in use" in tail:
                    raise PortInUseError(self.port)
                message = f"{self.kind} ended by itself (exit {process.returncode}); its log says:\n{tail}"
                raise BrokerError(message)
            if accepts(HOST, self.port, self.username, self.password):
                return
            time.sleep(_POLL_SECONDS)
        message = f"{self.kind} did not answer within {READY_SECONDS:g} s; its log says:\n{self._last_words()}"
        raise BrokerError(message)

    def _last_words(self) -> str:
        """The end of what the present process has said."""
        text = self.log_file.read_bytes()[self._log_begins_at :].decode(errors="replace")
        return "\n".join(text.splitlines()[-_LOG_LINES_SHOWN:]) or "(nothing)"

    def _mosquitto_command(self, program: str) -> list[str]:
        # Started as root, mosquitto would turn into another user, who cannot read this directory.
        user = "user root\n" if os.geteuid() == 0 else ""
        _write_private(self._directory / "access", f"user {USERNAME}\ntopic readwrite #\n")
        _write_private(self._directory / "users", f"{USERNAME}:{self.password}\n")
        _hash_passwords(self._directory / "users", program)
        configuration = self._directory / "mosquitto.conf"
        text = _MOSQUITTO_CONFIGURATION.format(port=self.port, host=HOST, user=user, directory=self._directory)
        _write_private(configuration, text)
        return [program, "-c", str(configuration)]

    def _amqtt_command(self) -> list[str]:
        return [sys.executable, "-W", "ignore", "-m", "deploy.amqtt_broker", str(self._directory), str(self.port)]


def start_broker(directory: Path, *, port: int | None = None, mosquitto: str | None = "find") -> RunningBroker:
    """Starts a broker whose files live in `directory`. Raises BrokerError.

    `port` None: 1883 where it is free, else any free one; 0: any free one. `mosquitto`: the program, "find" to look
    for it, None to use amqtt. Call it from a thread that lives as long as the farm (see `leash`).
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    program = find_mosquitto() if mosquitto == "find" else mosquitto
    if port:
        if not is_free(HOST, port):
            raise PortInUseError(port)
        return RunningBroker(directory, port, program)
    first = DEFAULT_PORT if port is None and is_free(HOST, DEFAULT_PORT) else any_free_port(HOST)
    for candidate in (first, *(any_free_port(HOST) for _ in range(_TRIES - 1))):
        with contextlib.suppress(PortInUseError):  # taken between our look and the broker's
            return RunningBroker(directory, candidate, program)
    message = f"no free port was found in {_TRIES} tries"
    raise BrokerError(message)


def find_mosquitto() -> str | None:
    """The mosquitto program on the PATH, or where Debian puts it, which is not on everybody's PATH."""
    return _program("mosquitto")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _program(name: str, *beside: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join([*beside, "/usr/sbin", "/usr/local/sbin"]))


def _hash_passwords(file: Path, mosquitto: str) -> None:
    tool = _program("mosquitto_passwd", str(Path(mosquitto).parent))
    if tool is None:
        message = "mosquitto is installed without mosquitto_passwd. Fix: install the whole mosquitto package."
        raise BrokerError(message)
    # -U hashes the file in place: the password never stands on a command line.
    done = subprocess.run([tool, "-U", str(file)], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    if done.returncode != 0:
        message = f"mosquitto_passwd failed: {done.stderr.strip()}"
        raise BrokerError(message)


def _password(directory: Path) -> str:
    """The password of this directory's broker; made once, so that services outlive a restart of the farm's parent."""
    file = directory / "password"
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(24))
    return file.read_text(encoding="utf-8").strip()


def _write_private(file: Path, text: str) -> None:
    temporary = file.with_name(file.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)
    temporary.replace(file)


def _opened_log(file: Path) -> BinaryIO:
    grown = file.exists() and file.stat().st_size > _LOG_BYTES_MAX
    return file.open("wb" if grown else "ab")

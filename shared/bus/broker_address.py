"""Where a broker is, and who we are to it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and who we are to it. The password never shows in a text."""

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    """Whose certificates count, with TLS; None: those of the system's authorities."""

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

"""Looking at ports: which are free, and whether our own broker answers on one."""

import socket


def is_free(host: str, port: int) -> bool:
    """Whether a listener could be opened there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free_port(host: str) -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(host: str, port: int, username: str, password: str) -> bool:
    """Whether a broker answers there *and* takes our password: some other broker on this port would not.

    A CONNECT and its CONNACK by hand. Source: MQTT 3.1.1, sections 3.1 and 3.2.
    """
    texts = (b"", username.encode(), password.encode())
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + b"".join(len(text).to_bytes(2, "big") + text for text in texts)
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(bytes([0x10, len(body)]) + body)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")
    except OSError:
        return False
    return answer == b"\x20\x02\x00\x00"

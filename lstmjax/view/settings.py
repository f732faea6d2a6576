"""The address at which pages are served."""

from dataclasses import asdict, dataclass
from typing import Any

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8624
PORTS_TRIED = 20


@dataclass(frozen=True)
class ServerSettings:
    """The address of a server.

    Attributes:
      host: address to listen at.
      port: 0 for the first free one from DEFAULT_PORT on.
    """

    host: str = LOOPBACK
    port: int = 0

    def to_plain(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @property
    def ports(self) -> list[int]:
        """The ports to try in turn."""
        if self.port:
            return [self.port]
        return list(range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED))

    @property
    def is_local(self) -> bool:
        """Whether only programs of this machine can reach it."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

"""HTTPS: one context whose certificate follows its files, so that a renewal needs no restart."""

import asyncio
import ssl
from pathlib import Path

import structlog

from argoos.errors import SettingsError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""How often the files are looked at. Certificates are renewed days before they end."""

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate and its key in two files.

    Every handshake takes the pair that was read last. A new pair is read into a context of its own and takes its place
    only when it is whole: loading it into the context in use would leave that without a key if the new one is broken.

    Args:
        cert_file: PEM file of the certificate, the intermediate ones after it.
        key_file: PEM file of its key, without a password.

    Raises:
        SettingsError: the pair cannot be used.
    """

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        self._cert_file = cert_file
        self._key_file = key_file
        try:
            self._stamp = self._look()
            self._current = self._read()
            self.context = self._read()
        except OSError as error:
            raise SettingsError([self._fault(error)]) from error
        self.context.sni_callback = self._choose

    async def follow(self) -> None:
        """Keep the pair current until cancelled; a broken new pair is logged, and the old one stays."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.refresh()

    def refresh(self) -> bool:
        """Read the files again if they have changed, and tell whether a new pair is in use."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return False
            self._stamp = stamp  # also of a broken pair: it is complained of once
            self._current = self._read()
        except OSError as error:
            self._complain(error)
            return False
        log.info("the server's certificate was read again", cert_file=str(self._cert_file))
        return True

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Give a handshake the current pair. OpenSSL calls this for every ClientHello, also without a server name."""
        connection.context = self._current

    def _read(self) -> ssl.SSLContext:
        """Read the pair into a new context.

        Raises:
            OSError: a file cannot be read, or (as ssl.SSLError) the two are no pair.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # With a password given, OpenSSL refuses a locked key at once; without, it would ask for one on the terminal.
        context.load_cert_chain(self._cert_file, self._key_file, password="")
        return context

    def _look(self) -> Stamp:
        """Return what tells this state of the files from the next; follows the links of mounted Secrets."""
        found = [path.stat() for path in (self._cert_file, self._key_file)]
        return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)

    def _complain(self, error: OSError) -> None:
        log.error("the server's new certificate cannot be used; the old one stays", error=self._fault(error))

    def _fault(self, error: OSError) -> str:
        what = getattr(error, "reason", None) or error.strerror or str(error)
        return (
            f"server_cert {self._cert_file} and server_key {self._key_file} cannot be used: {what}; they must be PEM "
            "files, the key without a password and belonging to the certificate"
        )

"""Who may ask a test's API server: a certificate authority, static tokens and kubeconfig files."""

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import trustme

ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody the API server knows by a static token; what he may do is for RBAC to say."""

    name: str
    groups: tuple[str, ...] = ()


class Access:
    """The keys and tokens of one control plane, as files in `directory`."""

    def __init__(self, directory: Path, users: tuple[User, ...] = ()) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._authority = trustme.CA()
        self.ca_file = directory / "ca.crt"
        self.server_cert = directory / "server.crt"
        self.server_key = directory / "server.key"
        self.signing_key = directory / "service-accounts.key"
        self.token_file = directory / "tokens.csv"
        self._authority.cert_pem.write_to_path(self.ca_file)
        server = self._authority.issue_cert("127.0.0.1", "localhost")
        server.cert_chain_pems[0].write_to_path(self.server_cert)
        server.private_key_pem.write_to_path(self.server_key)
        self._authority.issue_cert(common_name="service-accounts").private_key_pem.write_to_path(self.signing_key)
        self.tokens = {user.name: secrets.token_hex(16) for user in (User(name=ADMIN), *users)}
        rows = [(User(name=ADMIN, groups=("system:masters",))), *users]
        self.token_file.write_text(
            "".join(f'{self.tokens[user.name]},{user.name},{user.name},"{",".join(user.groups)}"\n' for user in rows)
        )

    def with_token(self, server: str, name: str, token: str) -> Path:
        """Write a kubeconfig for a bearer token and return its path."""
        return self._write(server, name, {"token": token})

    def with_certificate(self, server: str, name: str, group: str) -> Path:
        """Write a kubeconfig for a new client certificate: the user `name`, a member of `group`."""
        # Go refuses a certificate whose list of host names is there but empty, so it gets one that is never asked for.
        certificate = self._authority.issue_cert("client.invalid", common_name=name, organization_name=group)
        pem = certificate.cert_chain_pems[0].bytes()
        key = certificate.private_key_pem.bytes()
        return self._write(
            server,
            f"{name}-certificate",
            {
                "client-certificate-data": base64.b64encode(pem).decode(),
                "client-key-data": base64.b64encode(key).decode(),
            },
        )

    def _write(self, server: str, name: str, user: dict[str, str]) -> Path:
        cluster = {
            "server": server,
            "certificate-authority-data": base64.b64encode(self._authority.cert_pem.bytes()).decode(),
        }
        path = self._directory / f"{name.replace(':', '-')}.kubeconfig"
        path.write_text(  # JSON is YAML, which is all that a kubeconfig asks
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "clusters": [{"name": "test", "cluster": cluster}],
                    "users": [{"name": name, "user": user}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
                },
                indent=2,
            )
        )
        path.chmod(0o600)
        return path

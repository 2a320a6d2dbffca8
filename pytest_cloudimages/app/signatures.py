"""Signatures of results, made and checked by OpenSSH's ``ssh-keygen -Y``: people have its keys already."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

NAMESPACE = "cloudimages"
"""What a signature is for, as OpenSSH calls it: one that was made for anything else is not taken."""
SUFFIX = ".sig"
SIGNER = "signer"


class SignatureError(OSError):
    """A signature is missing or wrong, or cannot be made: a file that cannot be had, as far as a run is concerned."""

    def __init__(self, told: str, file: Path) -> None:
        super().__init__(0, told, str(file))

    def __str__(self) -> str:
        return str(self.strerror)


def signature_of(file: Path) -> Path:
    """Return where the signature of a file lies."""
    return file.with_name(file.name + SUFFIX)


def sign(file: Path, key: Path) -> Path:
    """Sign a file with a private key, and return its signature; raise ``SignatureError`` where that fails."""
    signature = signature_of(file)
    signature.unlink(missing_ok=True)
    told = _ssh_keygen("-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(file))
    if told.returncode or not signature.exists():
        raise SignatureError(f"{file.name} could not be signed with {key}: {_last(told)}", signature)
    return signature


def check(file: Path, key: Path) -> str:
    """Return by whom a file is signed, checked by a public key; raise ``SignatureError`` where it is not."""
    signature = signature_of(file)
    if not signature.exists():
        raise SignatureError(f"not signed: expected the signature in {signature.name}, beside it", signature)
    words = key.read_text("utf-8", errors="replace").split()
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):  # noqa: PLR2004 - its type and the key
        raise SignatureError(f"{key}: expected a public key of OpenSSH, such as ~/.ssh/id_ed25519.pub", key)
    with tempfile.TemporaryDirectory() as folder:
        signers = Path(folder, "signers")
        signers.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {words[0]} {words[1]}\n', encoding="utf-8")
        told = _ssh_keygen(
            "-Y", "verify", "-f", str(signers), "-I", SIGNER, "-n", NAMESPACE, "-s", str(signature), standard_input=file
        )
    if told.returncode:
        raise SignatureError(f"the signature is not one of {key} for this file: {_last(told)}", signature)
    return f"signed with {key}"


def _ssh_keygen(*words: str, standard_input: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    octets = standard_input.read_bytes() if standard_input else b""
    try:
        # A key with a passphrase is asked for at the terminal, by ssh-keygen itself or by an agent.
        return subprocess.run(["ssh-keygen", *words], input=octets, capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise SignatureError("ssh-keygen is not installed; it is part of OpenSSH", Path("ssh-keygen")) from None


def _last(told: subprocess.CompletedProcess[bytes]) -> str:
    lines = (told.stderr or told.stdout).decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), f"ssh-keygen ended with {told.returncode}")

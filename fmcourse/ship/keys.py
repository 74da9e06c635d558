"""The pair of keys that shipped folders are signed with: Ed25519 (RFC 8032), as PEM files.

The private half is made when first needed and lies in the course's folder, readable by its user
alone and without a password: good enough to tell your folders from others', not for a company's
releases. `fmcourse clean` deletes it only when asked by name.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from fmcourse import user_data
from fmcourse.errors import StoreError

KEY = "Name the file of a key (PEM), or leave --key out: then this machine's own counts."
MAKE = "openssl genpkey -algorithm ed25519 makes a private one."


def private_key(path: Path | None = None) -> Ed25519PrivateKey:
    """A private key: of a PEM file, or this machine's own, made when first needed.

    Raises:
        StoreError: the file cannot be read, or holds no such key.
    """
    own = user_data.folder("keys") / "signing.pem"
    if path is None and not own.exists():
        text = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
    found = None
    with contextlib.suppress(ValueError, TypeError):  # no PEM, or one with a password
        found = load_pem_private_key(read(path or own), None)
    if not isinstance(found, Ed25519PrivateKey):
        raise StoreError("This is no private Ed25519 key without a password.", where=path or own,
                         fix=MAKE)
    return found


def public_key(text: bytes, where: Path) -> Ed25519PublicKey:
    """A public key of its PEM.

    Args:
        where: it was found, for the message.

    Raises:
        StoreError: it is none.
    """
    found = None
    with contextlib.suppress(ValueError):
        found = load_pem_public_key(text)
    if not isinstance(found, Ed25519PublicKey):
        raise StoreError("There is no public Ed25519 key here.", where=where,
                         fix="Give the `key` of a manifest, or: openssl pkey -in KEY -pubout")
    return found


def own_fingerprint() -> str | None:
    """That of this machine's key, if it has one."""
    there = (user_data.place("keys") / "signing.pem").exists()
    return fingerprint(private_key().public_key()) if there else None


def fingerprint(key: Ed25519PublicKey) -> str:
    """A public key in few letters: SHA-256 of its 32 bytes, in base 64."""
    digest = hashlib.sha256(key.public_bytes_raw()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def as_pem(key: Ed25519PublicKey) -> str:
    """A public key as text."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def fits(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    """Whether the holder of the private half signed this text."""
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def read(path: Path, fix: str = KEY) -> bytes:
    """A file's bytes; a `StoreError` with this remedy where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"This cannot be read: {error.strerror}.", where=path, fix=fix) from error

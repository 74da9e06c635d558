"""What lies in a shipped folder, signed: which files changed, are gone or are new, and who says so.

A hash shows what changed by accident; whoever changes a file on purpose writes the new hash beside
it. So the list of hashes is signed: only who has the private key can make another list that fits.
The public half is in the list, and whoever checks must know from elsewhere whose it is: a
fingerprint, read over the telephone, will do. For strangers there is OpenSSF Model Signing (the
package `model-signing`), with identities of Sigstore in place of fingerprints.

    manifest.json   the SHA-256 of every file, and the public key
    manifest.sig    64 bytes: the signature of manifest.json

OpenSSL checks it without us, with the manifest's `key` in a file: openssl pkeyutl -verify -rawin
-in manifest.json -sigfile manifest.sig -pubin -inkey key.pem
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fmcourse import store
from fmcourse.errors import StoreError
from fmcourse.ship import keys

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
WRITTEN = "Name a folder that fmcourse export wrote."


@dataclass(frozen=True)
class Verification:
    """What has become of a shipped folder.

    Attributes:
        changed, missing, new: names of files; the manifest is changed if its signature doesn't fit.
        signer: fingerprint of the key in the manifest.
        known: whether that is the key that was asked for, or this machine's own.
        files: number of files that were signed.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]
    signer: str
    known: bool
    files: int

    @property
    def whole(self) -> bool:
        """Whether every file is as it was signed, and none was added."""
        return not (self.changed or self.missing or self.new)

    def __str__(self) -> str:
        lines = [f"{word:8} {name}" for word, names in (
            ("changed", self.changed), ("missing", self.missing), ("new", self.new))
            for name in names]
        if self.whole:
            lines = [f"{self.files} files, all as they were signed"]
        stranger = "" if self.known else (
            "\nThis machine does not know that key: ask the signer for its fingerprint.")
        return "\n".join([*lines, f"signed by {self.signer}{stranger}"])


def sign(folder: Path | str, key: Path | None = None) -> Path:
    """Write and sign the list of all files in a folder; returns the manifest.

    Args:
        key: file of a private key; by default this machine's own.

    Raises:
        StoreError: the key cannot be read, or is none.
    """
    folder, private = Path(folder), keys.private_key(key)
    path = store.write_json(folder / MANIFEST, {
        "format": "fmcourse manifest 1", "key": keys.as_pem(private.public_key()),
        "files": {name: store.sha256_file(folder / name) for name in _names(folder)}})
    store.atomic_write(folder / SIGNATURE, private.sign(path.read_bytes()))
    return path


def verify(folder: Path | str, key: Path | None = None) -> Verification:
    """Compare a folder with its manifest.

    Args:
        key: file of the signer's public key, got from elsewhere; by default this machine's own is
            the one that is known.

    Raises:
        StoreError: there is no manifest, or it is none; or another key than `key` signed it.
    """
    folder = Path(folder)
    text, signature = (keys.read(folder / name, WRITTEN) for name in (MANIFEST, SIGNATURE))
    try:
        told = json.loads(text)
        pem, listed = told["key"].encode(), dict(told["files"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError("This is no manifest, or it was damaged.", where=folder / MANIFEST,
                         fix="Get the folder anew from whoever signed it.") from error
    public = keys.public_key(pem, folder / MANIFEST)
    signer = keys.fingerprint(public)
    known = keys.fingerprint(keys.public_key(keys.read(key), key)) if key else (
        keys.own_fingerprint())
    if key and signer != known:
        raise StoreError(f"Another key has signed this: {signer}.", where=folder / MANIFEST,
                         fix="Trust nothing in it before the signer explains that.")
    there = set(_names(folder))
    changed = [name for name in sorted(there & set(listed))
               if store.sha256_file(folder / name) != listed[name]]
    if not keys.fits(public, signature, text):
        changed.insert(0, MANIFEST)
    return Verification(tuple(changed), tuple(sorted(set(listed) - there)),
                        tuple(sorted(there - set(listed))), signer, signer == known, len(listed))


def others(folder: Path) -> list[str]:
    """What in a folder is not as `sign` left it, or was not there: all, where nobody signed.

    An edited card is somebody's work, just as a file that was put beside it.
    """
    try:
        found = verify(folder)
    except StoreError:
        return store.everything(folder)
    return [*found.new, *found.changed]


def _names(folder: Path) -> list[str]:
    """Every file below a folder but the manifest and its signature; hidden ones, too."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return sorted(files - {MANIFEST, SIGNATURE})

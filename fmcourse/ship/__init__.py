"""A model sent out into the world: exported, described, signed, served.

`export` writes a plain Hugging Face folder or a GGUF file with its card and a signed manifest,
`verify` names every file that is no longer as it was signed, `serving` lets the clients of other
people talk to it on this machine.
"""

from fmcourse.ship.export import FORMS, export
from fmcourse.ship.gguf_file import metadata, open_gguf, permuted, write_gguf
from fmcourse.ship.manifest import Verification, sign, verify
from fmcourse.ship.model_card import energy, model_card
from fmcourse.ship.portable import portable_config
from fmcourse.ship.server import Server, address, command, environment, ready, serving

__all__ = [
    "FORMS", "Server", "Verification", "address", "command", "energy", "environment", "export",
    "metadata", "model_card", "open_gguf", "permuted", "portable_config", "ready", "serving",
    "sign", "verify", "write_gguf",
]

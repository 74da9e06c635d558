"""Where text comes from: registered, hashed, licensed origins, and a learner's own files.

`load(name)` gives a `datasets.Dataset`; `fetch(name)` only the verified file; `registry()` what
there is; `attribution()` who made it.
"""

from fmcourse.sources.fetching import Status, fetch, verify
from fmcourse.sources.loading import fingerprint, load
from fmcourse.sources.registered import Source, attribution, get, registry

__all__ = ["Source", "Status", "attribution", "fetch", "fingerprint", "get", "load", "registry",
           "verify"]

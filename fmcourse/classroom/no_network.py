"""A Python that starts with this as its `sitecustomize` reaches this machine and no other.

It shows that a bundle is whole: whatever would be fetched fails at once. Only Python's own sockets
are closed; where the system can take the network away (`unshare -n` on Linux), that is stronger.
"""

import ipaddress
import socket

REFUSED = "the network is switched off, to see whether the course does without it"
_connect, _look_up = socket.socket.connect, socket.getaddrinfo


def local(host):
    """Whether a host is this machine.

    >>> local("127.0.0.1"), local("localhost"), local("192.0.2.1"), local("example.org")
    (True, True, False, False)
    """
    if host in ("localhost", "", None):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _connect_here(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not local(address[0]):
        raise OSError(REFUSED)
    return _connect(self, address)


def _look_up_here(host, *arguments, **options):
    if not local(host.decode() if isinstance(host, bytes) else host):
        raise socket.gaierror(socket.EAI_FAIL, REFUSED)
    return _look_up(host, *arguments, **options)


def switch_off():
    """From now on, connections to other machines fail."""
    socket.socket.connect = _connect_here
    socket.getaddrinfo = _look_up_here


if __name__ == "sitecustomize":
    switch_off()

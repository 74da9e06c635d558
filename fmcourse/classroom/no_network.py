"""A Python that starts with this as its `sitecustomize` reaches this machine and no other.

It shows that a bundle is whole: whatever would be fetched fails at once. Only Python's own sockets
are closed so; `alone` is stronger, where the system has it: a room whose only network is loopback.
"""

import ipaddress
import os
import socket
import sys

REFUSED = "the network is switched off, to see whether the course does without it"
INTERNET = (socket.AF_INET, socket.AF_INET6)
LONGEST = 60  # seconds that a try of the room may take


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


def _guarded(method, find):
    """A socket's method that refuses addresses of other machines; `find` picks the address."""
    def here(self, *given):
        address = find(given)
        if address and self.family in INTERNET and not local(address[0]):
            raise OSError(REFUSED)
        return method(self, *given)
    return here


def _looking_up(function):
    """A way to look a name up that knows this machine alone."""
    def here(host, *given, **options):
        if not local(host.decode() if isinstance(host, bytes) else host):
            raise socket.gaierror(socket.EAI_FAIL, REFUSED)
        return function(host, *given, **options)
    return here


def switch_off():
    """From now on, nothing is sent to other machines."""
    for name, find in {"connect": lambda given: given[0], "connect_ex": lambda given: given[0],
                       "sendto": lambda given: given[-1],
                       "sendmsg": lambda given: given[3] if len(given) > 3 else None}.items():
        if hasattr(socket.socket, name):  # Windows has no sendmsg
            setattr(socket.socket, name, _guarded(getattr(socket.socket, name), find))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, _looking_up(getattr(socket, name)))


def alone():
    """The words before a command that runs it where no network is; none where that cannot be had.

    It is a network namespace of Linux, made by util-linux' `unshare` without being root.
    """
    import subprocess

    words = ["unshare", "--map-root-user", "--net", sys.executable, __file__]
    try:
        done = subprocess.run([*words, sys.executable, "-c", ""], capture_output=True,
                              timeout=LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [] if done.returncode else words


def _loopback_up():
    """Notebook kernels are spoken to over 127.0.0.1, which a new namespace has switched off."""
    import fcntl
    import struct

    up, setting = 0x41, 0x8914  # IFF_UP and IFF_RUNNING; SIOCSIFFLAGS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, setting, struct.pack("16sh22x", b"lo", up))


if __name__ == "sitecustomize":
    switch_off()
if __name__ == "__main__":
    _loopback_up()
    os.execv(sys.argv[1], sys.argv[1:])

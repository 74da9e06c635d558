"""Take from the current process whatever a stranger's program could do harm with, for good.

On Linux the kernel itself refuses, and nothing needs root, a container or a namespace: Landlock
allows files to be read and none to be written; seccomp refuses sockets, other processes, signals
to them and changes to files' modes; resource limits bound memory, processor time and files. Root's
capabilities are given up. Elsewhere, and on kernels without these, Python's audit hook refuses the
same: that stops whoever calls Python's functions, and not whoever calls the system's by `ctypes`.
`confine` says which of it does not hold.

Landlock: docs.kernel.org/userspace-api/landlock.html. Seccomp is reached through libseccomp.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SECRET = [PACKAGE / "classroom" / name for name in ("checks", "hidden")]
SYSTEM = [Path(name) for name in (
    "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/lib", "/lib64", "/etc/ld.so.cache",
    "/dev/urandom", "/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo")]
TASKS, FILES = 4096, 64  # threads of the user's in all; files open at once


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        seconds: of the clock, for a cell, and for all cases of an exercise together.
        total: seconds, for a notebook.
        memory: bytes, beyond what the libraries take.
        file: bytes of one file, where files can be written at all.
        message: bytes of an answer to one case.
    """

    seconds: float = 20
    total: float = 300
    memory: int = 2 * 2**30
    file: int = 2**20
    message: int = 4 * 2**20


def readable() -> list[Path]:
    """What a submission may read: Python, its packages and this one, less the checks' answers."""
    roots = [Path(sys.prefix), Path(sys.base_prefix), PACKAGE, *SYSTEM]
    return [*dict.fromkeys(part for root in roots if root.exists()
                           for part in without(root.resolve(), SECRET))]


def without(root: Path, secret: Sequence[Path]) -> Iterator[Path]:
    """The largest parts of a folder that hold none of some others."""
    inside = [one for one in secret if one.is_relative_to(root)]
    if not inside:
        yield root
    elif root not in inside:
        for child in sorted(root.iterdir()):
            yield from without(child, inside)


def confine(limits: Limits, may_read: Sequence[Path]) -> list[str]:
    """Apply all that this machine has. There is no way back.

    Args:
        limits: as they stand there.
        may_read: files, and folders with all that is in them.

    Returns:
        What does not hold here, a sentence each.
    """
    lacking = []
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG: killed when its parent ends
        libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS: needed for what follows
        _drop_capabilities(libc)
        _limit(limits)
        if not _seccomp():  # first, as its library is a file
            lacking.append("Processes and network are guarded by Python alone: this machine has "
                           "no libseccomp.")
        if not _landlock(libc, may_read):
            lacking.append("Files are guarded by Python alone: this kernel has no Landlock.")
    else:
        _limit(limits)
        lacking.append("Files, processes and network are guarded by Python alone: the kernel's "
                       "guards are Linux's.")
    if lacking:
        watch(may_read)
    return lacking


def _limit(limits: Limits) -> None:
    """Resource limits, which a process cannot raise again."""
    import resource

    bounds = {"RLIMIT_AS": _size() + limits.memory, "RLIMIT_FSIZE": limits.file,
              "RLIMIT_CPU": int(limits.total) + 1, "RLIMIT_NOFILE": FILES, "RLIMIT_CORE": 0,
              "RLIMIT_NPROC": TASKS}
    for name, bound in bounds.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS knows but does not take RLIMIT_AS
            resource.setrlimit(kind, (value, value))


def _size() -> int:
    """Bytes of address space in use."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Root without its powers; of others nothing is taken."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3; this process
    libc.capset(header, (ctypes.c_uint32 * 6)())


WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
RULES, ADD, RESTRICT = 444, 445, 446  # system calls, the same on every architecture


def _landlock(libc: ctypes.CDLL, may_read: Sequence[Path]) -> bool:
    """Whether from now on these can be read, and nothing else read, written, made or removed."""
    version = libc.syscall(RULES, None, 0, 1)
    if version < 1:
        return False
    files = {1: 13, 2: 14}.get(version, 15 if version < 5 else 16)  # rights that it knows
    fields = [(1 << files) - 1, 3 if version >= 4 else 0, 3 if version >= 6 else 0]
    size = 8 * (1 if version < 4 else 2 if version < 6 else 3)
    rules = libc.syscall(RULES, (ctypes.c_uint64 * 3)(*fields), size, 0)
    if rules < 0:
        return False
    for path in may_read:
        _allow(libc, rules, path, READ_FILE | (READ_DIR if path.is_dir() else 0))
    for parent in {one.parent for one in SECRET} | {PACKAGE}:  # names, for imports
        _allow(libc, rules, parent, READ_DIR)
    _allow(libc, rules, Path(os.devnull), READ_FILE | WRITE_FILE)
    held = libc.syscall(RESTRICT, rules, 0) == 0
    os.close(rules)
    return held


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    class Beneath(ctypes.Structure):
        _pack_ = 1
        _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))

    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    libc.syscall(ADD, rules, 1, ctypes.byref(Beneath(rights, place)), 0)
    os.close(place)


REFUSED = (
    "fork", "vfork", "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev",
    "unshare", "setns", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open",
    "pidfd_getfd", "pidfd_send_signal", "socket", "socketpair", "connect", "bind", "listen",
    "io_uring_setup", "bpf", "perf_event_open", "userfaultfd", "memfd_create", "shmget",
    "msgget", "semget", "mq_open", "keyctl", "add_key", "request_key", "setrlimit", "chmod",
    "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime",
    "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
    "lremovexattr", "fremovexattr")
THREAD = 0x10000  # CLONE_THREAD


class _Compare(ctypes.Structure):
    """libseccomp's `scmp_arg_cmp`."""

    _fields_ = (("argument", ctypes.c_uint), ("how", ctypes.c_int), ("one", ctypes.c_uint64),
                ("other", ctypes.c_uint64))


def _seccomp() -> bool:
    """Whether the system calls above are refused from now on; threads are still made."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(0x7FFF0000))  # what is not named is allowed
    differs, masked = 1, 7
    rules: list[tuple[str, int, list[_Compare]]] = [(name, errno.EPERM, []) for name in REFUSED]
    rules += [("clone", errno.EPERM, [_Compare(0, masked, THREAD, 0)]),
              ("clone3", errno.ENOSYS, []),  # whose flags cannot be seen: the C library uses clone
              ("tgkill", errno.EPERM, [_Compare(0, differs, os.getpid(), 0)]),
              ("prlimit64", errno.EPERM, [_Compare(2, differs, 0, 0)])]
    for name, code, compares in rules:
        number = library.seccomp_syscall_resolve_name(name.encode())
        library.seccomp_rule_add_array(context, 0x50000 | code, number, len(compares),
                                       (_Compare * len(compares))(*compares))
    held = library.seccomp_load(context) == 0
    library.seccomp_release(context)
    return held


EVENTS = ("os.", "subprocess.", "socket.", "shutil.", "pty.", "ctypes.dlopen")
HARMLESS = ("os.listdir", "os.scandir", "os.putenv", "os.unsetenv", "os.walk", "os.fwalk")


def watch(may_read: Iterable[Path]) -> None:
    """Refuse by Python's audit hook, which cannot be taken off: the guard where no other is."""
    folders = [os.path.realpath(path) for path in may_read]

    def refuse(event: str, given: tuple[object, ...]) -> None:
        if event == "open" and isinstance(given[0], (str, bytes)):
            path = os.path.realpath(os.fsdecode(given[0]))
            if path == os.devnull:
                return
            inside = any(path == one or path.startswith(one + os.sep) for one in folders)
            if inside and not _writes(given):
                return
        elif not event.startswith(EVENTS) or event in HARMLESS:
            return
        raise PermissionError(errno.EPERM, f"A submission may not do this: {event}")

    sys.addaudithook(refuse)


def _writes(given: tuple[object, ...]) -> bool:
    """Whether an `open` event (path, mode, flags) is for more than reading."""
    flags = given[2] if isinstance(given[2], int) else 0
    return bool(set(str(given[1] or "r")) & set("wax+")) or bool(
        flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))

"""Install the course from this folder, without a network: python3 install.py [FOLDER]

FOLDER is where the course will lie; by default `fmcourse` in your home folder. Files that are there
already are left as they are, so that the same command also goes on after an interruption. Nothing
is fetched from anywhere: pip is told to use no index, and each file's hash is checked first.
(Standard library only, since nothing is installed yet.)
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path, PureWindowsPath

HERE = Path(__file__).resolve().parent
ROOM = 1.2  # bytes of free disk to a byte that will be written


def stop(message):
    """End with a sentence instead of a traceback."""
    sys.exit(f"\n{message}")


def here():
    """What a wheel is made for: this Python and this machine."""
    return {"python": "{}.{}".format(*sys.version_info[:2]), "system": platform.system(),
            "machine": platform.machine()}


def read_manifest(folder):
    """What the folder should hold."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = None
    if not well_formed(manifest):
        stop(f"{folder} is not whole: its manifest.json is missing or damaged.\n"
             "Copy the folder again.")
    return manifest


def well_formed(manifest):
    """Whether this is a bundle's manifest, and names no file outside of its folder."""
    if not isinstance(manifest, dict):
        return False
    files, wanted, installed = (manifest.get(key) for key in ("files", "for", "installed"))
    return (isinstance(installed, int) and isinstance(wanted, dict) and set(wanted) == set(here())
            and isinstance(files, dict) and all(
                below(name) and isinstance(facts, dict) and isinstance(facts.get("sha256"), str)
                for name, facts in files.items()))


def below(name):
    """Whether a name leads from a folder to below it, on every system."""
    path = PureWindowsPath(name)  # which knows both slashes, and drives
    return bool(path.parts) and not path.anchor and ".." not in path.parts and "\0" not in name


def inside(folder, name):
    """Whether the file of this name lies in the folder, whatever links there are."""
    return below(name) and (folder / name).parent.resolve().is_relative_to(folder.resolve())


def check_machine(manifest):
    """Stop if these wheels are for another Python or machine."""
    wanted, found = manifest["for"], here()
    if wanted != found:
        words = "Python {python} on {system} ({machine})".format
        stop(f"These packages are for {words(**wanted)}; this is {words(**found)}.\n"
             f"Run it with that Python, or make a bundle on such a machine.")


def damaged(folder, manifest):
    """Names of files that are missing, not as they were written, or not in the folder."""
    wrong = []
    for name, facts in manifest["files"].items():
        if not inside(folder, name):
            wrong.append(name)
            continue
        try:
            with open(folder / name, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            digest = ""
        if digest != facts["sha256"]:
            wrong.append(name)
    return wrong


def check_room(target, manifest):
    """Stop if the disk is too full."""
    place = next(path for path in (target, *target.parents) if path.exists())
    free, needed = shutil.disk_usage(place).free, int(manifest["installed"] * ROOM)
    if free < needed and not (target / ".venv" / "installed").exists():
        stop(f"{place} has {free / 1e9:.1f} GB free; the course needs {needed / 1e9:.1f} GB.\n"
             "Free some, or name another folder: python3 install.py FOLDER")


def copy_course(target):
    """Copy the files of the course that are not there; how many were left as they are."""
    left = 0
    for source in sorted(path for path in (HERE / "course").rglob("*") if path.is_file()):
        copy = target / source.relative_to(HERE / "course")
        if copy.exists():
            left += copy.read_bytes() != source.read_bytes()
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        draft = copy.with_name(f".partial-{copy.name}")
        shutil.copy(source, draft)
        draft.replace(copy)
    return left


def run(label, command, **environment):
    """Run a step; its last lines are shown if it fails."""
    started = time.monotonic()
    print(label, flush=True)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, errors="replace", check=False,
                          env={**os.environ, **environment})
    if done.returncode:
        stop("\n".join(done.stdout.splitlines()[-15:]) + f"\nThis failed: {label}")
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)


def install(target):
    """Make the environment and install the packages, the course and its data."""
    venv = target / ".venv"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists() or subprocess.call([str(python), "-c", "import pip"],
                                              stderr=subprocess.DEVNULL):
        run("making .venv", [sys.executable, "-m", "venv", "--clear", venv])
    pip = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-input",
           "install", "--quiet", "--no-index"]
    run("installing the packages", [*pip, "--find-links", HERE / "wheels", "--require-hashes",
                                    "-r", HERE / "requirements.txt"])
    run("installing the course", [*pip, "--no-deps", "--no-build-isolation", "-e", target])
    run("unpacking the data", [python, "-m", "fmcourse.cli", "fetch"],
        FMCOURSE_WHEELHOUSE=str(HERE / "data"))
    (venv / "installed").touch()  # so that `make` does not install again
    return venv / ("Scripts" if os.name == "nt" else "bin") / "fmcourse"


def main():
    """Check all that can be checked beforehand, then install."""
    parser = argparse.ArgumentParser(description="Install the course without a network.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path.home() / "fmcourse",
                        help="where the course will lie (default: %(default)s)")
    target = parser.parse_args().folder.expanduser().resolve()
    manifest = read_manifest(HERE)
    check_machine(manifest)
    check_room(target, manifest)
    print("checking this folder", flush=True)
    wrong = damaged(HERE, manifest)
    if wrong:
        stop(f"Damaged or missing: {', '.join(wrong[:5])}"
             f"{f' and {len(wrong) - 5} more' if len(wrong) > 5 else ''}.\n"
             "Copy the folder again, or mend it where it was made: fmcourse class bundle FOLDER")
    left = copy_course(target)
    if left:
        print(f"{left} files in {target} differ from the bundle's and were left as they are.")
    command = install(target)
    print(f"\nReady. Now:\n  cd {target}\n  {command} class preflight\n  {command} lab")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("Interrupted. The same command goes on from here.")

"""A bundle holds all and says when it does not; it installs where nothing can be reached."""

import contextlib
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from archives import make_zip

from fmcourse import sources, store
from fmcourse.classroom import bundle, bundle_install, no_network, wheelhouse
from fmcourse.classroom.wheelhouse import Pin
from fmcourse.errors import CourseError
from fmcourse.lessons import supplies

from .conftest import LESSON

BACKEND = '''
import zipfile
NAME = "fmcourse-9-py3-none-any.whl"
def _write(folder, files):
    files["fmcourse-9.dist-info/METADATA"] = (
        "Metadata-Version: 2.1\\nName: fmcourse\\nVersion: 9\\n")
    files["fmcourse-9.dist-info/WHEEL"] = (
        "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    files["fmcourse-9.dist-info/RECORD"] = ""
    with zipfile.ZipFile(folder + "/" + NAME, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return NAME
def build_editable(folder, config_settings=None, metadata_directory=None):
    import pathlib
    return _write(folder, {"fmcourse.pth": str(pathlib.Path.cwd())})
'''
CLI = '''
import os, socket, sys
import part
if sys.argv[1:] == ["fetch"]:
    print(sorted(os.listdir(os.environ["FMCOURSE_WHEELHOUSE"])))
elif sys.argv[1:2] == ["run"]:
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2)
    except OSError as error:
        sys.exit(None if "switched off" in str(error) else str(error))
    sys.exit("the network is there")
'''


@pytest.fixture
def root(tmp_path) -> Path:
    """A small course in git, that builds without anything else."""
    root = tmp_path / "root"
    for name, text in {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
            'backend-path = ["."]\n[project]\nname = "fmcourse"\nversion = "9"\n',
            "backend.py": BACKEND, "fmcourse/__init__.py": "", "fmcourse/cli.py": CLI,
            "notebooks/ä b.ipynb": "{}", "notebooks/src/00_one.py": LESSON,
            "notebooks/src/14_two.py": LESSON, "secret.txt": "not in git"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / ".gitignore").write_text("secret.txt\n")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    return root


@pytest.fixture
def planned(monkeypatch, root) -> bundle.Plan:
    """A plan of one small package and one archive of data."""
    def bring(pins, folder, say):
        folder.mkdir(exist_ok=True)
        wheel = folder / "part-1.0-py3-none-any.whl"
        if not wheel.exists():
            say("fetching part")
            make_zip(wheel, {
                "part.py": b"", "part-1.0.dist-info/RECORD": b"",
                "part-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: part\nVersion: 1.0\n",
                "part-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: "
                                            b"true\nTag: py3-none-any\n"})
        return [wheel]

    def carry(source, folder):
        return store.atomic_write(folder / source.file, b"data of " + source.name.encode())

    name = next(name for name, one in sources.registry().items() if one.kind == "wheel")
    monkeypatch.setattr(sources, "registry", lambda: {name: sources.get(name)})
    monkeypatch.setattr(wheelhouse, "pins", lambda root: [Pin("part", "1.0", 1000)])
    monkeypatch.setattr(wheelhouse, "bring", bring)
    monkeypatch.setattr(supplies, "carry", carry)
    monkeypatch.setattr(bundle, "WORK", 0)
    return bundle.plan(root)


def quiet(line):
    """Nobody listens."""


@pytest.fixture
def made(planned, tmp_path) -> Path:
    """A whole bundle."""
    folder = tmp_path / "stick"
    bundle.make(planned, folder, quiet)
    return folder


def test_sizes_are_told_before_anything_is_fetched(planned, root, tmp_path):
    assert set(planned.files) == {"pyproject.toml", "backend.py", "fmcourse/__init__.py",
                                  "fmcourse/cli.py", "notebooks/ä b.ipynb", ".gitignore",
                                  "notebooks/src/00_one.py", "notebooks/src/14_two.py"}
    assert planned.wheels == 300
    assert planned.course == sum((root / name).stat().st_size for name in planned.files)
    assert planned.absent  # the data is not in this home
    assert f"more for {planned.absent[0]}" in str(planned)


def test_what_git_does_not_know_is_no_course(tmp_path):
    with pytest.raises(CourseError, match="git"):
        list(bundle.tracked(tmp_path))


def test_the_manifest_has_every_file_with_its_hash(made):
    manifest = json.loads((made / "manifest.json").read_text())
    found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == found - {"manifest.json"}
    assert "course/secret.txt" not in found
    assert bundle_install.damaged(made, manifest) == []
    assert manifest["for"] == bundle_install.here()
    line = (made / "requirements.txt").read_text()
    assert line == f"part==1.0 --hash=sha256:{store.sha256_file(next(made.glob('wheels/*')))}\n"
    assert "Python {python}".format(**bundle_install.here()) in (made / "README.txt").read_text()


def test_what_was_damaged_or_interrupted_is_mended_and_the_rest_kept(made, planned):
    wheel = next(made.glob("wheels/*"))
    said = []
    bundle.make(planned, made, said.append)
    assert "fetching part" not in said
    wheel.write_bytes(b"damaged")
    (made / "data").joinpath(next((made / "data").iterdir()).name).unlink()
    bundle.make(planned, made, said.append)
    assert "fetching part" in said
    assert bundle_install.damaged(made, store.read_json(made / "manifest.json")) == []


def test_a_bundle_that_was_not_finished_has_no_manifest(made, planned, monkeypatch):
    monkeypatch.setattr(wheelhouse, "bring", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bundle.make(planned, made, quiet)
    assert not (made / "manifest.json").exists()
    done = subprocess.run([sys.executable, str(made / "install.py")], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert "not whole" in done.stderr


@pytest.mark.parametrize("name", ["course/thesis.txt", "README.txt", "wheels/mine.whl"])
def test_what_is_somebody_else_s_stays(planned, tmp_path, name):
    """A stick may hold other things; not under the names that a bundle needs."""
    stick = tmp_path / "stick"
    (stick / name).parent.mkdir(parents=True)
    (stick / name).write_text("mine")
    (stick / "photo.jpg").write_text("mine, too")
    with pytest.raises(CourseError, match=f"stays as it is: {name.split('/')[0]}"):
        bundle.make(planned, stick, quiet)
    assert (stick / name).read_text() == "mine"
    (stick / name).unlink()
    if "/" in name:
        (stick / name).parent.rmdir()
    bundle.make(planned, stick, quiet)
    assert (stick / "photo.jpg").read_text() == "mine, too"


def test_a_file_put_into_a_bundle_s_course_stays(planned, made):
    (made / "course" / "thesis.txt").write_text("mine")
    with pytest.raises(CourseError, match=r"course/thesis\.txt"):
        bundle.make(planned, made, quiet)
    assert (made / "course" / "thesis.txt").read_text() == "mine"
    assert (made / "manifest.json").is_file()


def test_a_bundle_that_was_begun_is_gone_on_with(made, planned, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(wheelhouse, "bring", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bundle.make(planned, made, quiet)
    bundle.make(planned, made, quiet)
    assert not (made / "begun.json").exists()


def test_a_full_disk_is_told_before(planned, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle.shutil, "disk_usage", lambda path: type("U", (), {"free": 10}))
    with pytest.raises(CourseError, match="The disk has"):
        bundle.make(planned, tmp_path / "stick", quiet)


@pytest.mark.parametrize(("spoil", "said"), [
    ({"for": {"python": "2.7", "system": "Plan 9", "machine": "vax"}}, "Python 2.7 on Plan 9"),
    ({"installed": 10**18}, "GB free"), ({"files": {"gone": {"sha256": ""}}}, None)])
def test_the_installer_stops_before_it_writes(made, tmp_path, spoil, said):
    manifest = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps({**manifest, **spoil}))
    if said is None:
        next(made.glob("data/*")).write_text("x")
        (made / "manifest.json").write_text(json.dumps(manifest))
        said = "Damaged or missing: data/"
    target = tmp_path / "seat"
    done = subprocess.run([sys.executable, str(made / "install.py"), str(target)],
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not target.exists()


def test_files_that_a_learner_changed_are_left_alone(made, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_install, "HERE", made)
    target = tmp_path / "seat"
    assert bundle_install.copy_course(target) == 0
    (target / "notebooks" / "ä b.ipynb").write_text("mine")
    (target / "backend.py").unlink()
    assert bundle_install.copy_course(target) == 1
    assert (target / "notebooks" / "ä b.ipynb").read_text() == "mine"
    assert (target / "backend.py").read_text() == BACKEND


def test_a_step_that_fails_ends_the_trial_with_its_last_lines(tmp_path):
    failing = [sys.executable, "-c", "print('so far'); raise SystemExit('there is no lesson 99')"]
    with pytest.raises(CourseError, match="so far\nthere is no lesson 99"):
        bundle._step("lesson 99", failing, tmp_path, dict(os.environ), quiet)


@pytest.mark.parametrize("name", [
    "{elsewhere}", "../mine.txt", "course/../../mine.txt", "link/mine.txt", "", ".", "..",
    "C:mine.txt", "..\\mine.txt", "\\\\host\\share\\mine.txt"])
def test_a_manifest_touches_nothing_outside_of_its_folder(made, planned, tmp_path, name):
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    (made / "link").symlink_to(tmp_path)
    manifest = json.loads((made / "manifest.json").read_text())
    name = name.format(elsewhere=mine)
    manifest["files"][name] = {"bytes": 1, "sha256": "0"}
    (made / "manifest.json").write_text(json.dumps(manifest))
    assert bundle_install.damaged(made, manifest) == [name]
    for attempt in (lambda: bundle.make(planned, made, quiet),
                    lambda: bundle.try_out(made, [], quiet)):
        with contextlib.suppress(CourseError):
            attempt()
        assert mine.read_text() == "mine"
    done = subprocess.run([sys.executable, str(made / "install.py"), str(tmp_path / "seat")],
                          capture_output=True, text=True)
    assert name == "link/mine.txt" or (done.returncode == 1 and "Traceback" not in done.stderr)


@pytest.mark.parametrize("text", ["{}", "[]", '{"files": []}', "3", "{", '{"files": {"a": 3}}',
                                  '{"files": {}, "installed": "3", "for": {}}'])
def test_a_manifest_that_is_none_is_told_of_and_kept(made, planned, tmp_path, text):
    (made / "manifest.json").write_text(text)
    for attempt in (lambda: bundle.make(planned, made, quiet),
                    lambda: bundle.try_out(made, [], quiet)):
        with pytest.raises(CourseError):
            attempt()
    assert (made / "manifest.json").read_text() == text  # it may be somebody else's
    done = subprocess.run([sys.executable, str(made / "install.py"), str(tmp_path / "seat")],
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert "not whole" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_bundle_installs_and_runs_where_nothing_can_be_reached(made, monkeypatch):
    said = []
    monkeypatch.chdir(made.parent)  # a folder is mostly named from where one stands
    bundle.try_out(Path(made.name), [], said.append)
    assert [line for line in said if line.endswith(" …")] == [
        "install …", "lesson 00 …", "lesson 14 …"]
    next(made.glob("wheels/*")).unlink()
    with pytest.raises(CourseError, match="1 files are damaged or missing"):
        bundle.try_out(made, ["00"], quiet)


def test_a_lesson_that_the_bundle_has_not_is_told_of_before_anything_is_installed(made):
    with pytest.raises(CourseError, match="no lesson '07'"):
        bundle.try_out(made, ["00", "07"], quiet)


REACHES = """
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.bind(("127.0.0.1", 0))
away = ("192.0.2.1", 9)
def sent(way, *words):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return getattr(one, way)(*words)
sent("sendto", b"x", here.getsockname()), sent("sendmsg", [b"x"], [], 0, here.getsockname())
assert sent("connect_ex", here.getsockname()) == 0
for way, words in (("connect", [away]), ("connect_ex", [away]), ("sendto", [b"x", away]),
                   ("sendto", [b"x", 0, away]), ("sendmsg", [[b"x"], [], 0, away])):
    try:
        print(way, sent(way, *words))
    except OSError as error:
        print(way, "switched off" in str(error) or error.errno)
for look in (socket.gethostbyname, lambda name: socket.create_connection((name, 80), timeout=5)):
    try:
        print(look("example.org"))
    except OSError as error:
        print("switched off" in str(error))
"""


def test_only_this_machine_is_reached_without_a_network(tmp_path):
    (tmp_path / "sitecustomize.py").write_bytes(Path(no_network.__file__).read_bytes())
    done = subprocess.run([sys.executable, "-c", REACHES], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.stdout.split() == ["connect", "True", "connect_ex", "True", "sendto", "True",
                                   "sendto", "True", "sendmsg", "True", "True", "True"], done.stderr


def test_where_the_system_takes_the_network_away_only_loopback_is_left():
    alone = no_network.alone()
    if not alone:
        pytest.skip("no namespaces here")
    done = subprocess.run([*alone, sys.executable, "-c", REACHES], capture_output=True, text=True)
    gone = str(errno.ENETUNREACH)
    assert done.stdout.split()[:10] == ["connect", gone, "connect_ex", gone, "sendto", gone,
                                        "sendto", gone, "sendmsg", gone], done.stderr


def test_where_there_is_no_such_room_python_alone_is_closed(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert no_network.alone() == []


def test_the_command_plans_makes_and_checks(command, planned, root, tmp_path, monkeypatch):
    from fmcourse.lessons import catalogue

    monkeypatch.setattr(catalogue, "root", lambda: root)
    folder = tmp_path / "stick"
    assert "packages" in command("class", "bundle", folder, "--plan")[1]
    assert not folder.exists()
    assert command("class", "bundle", folder)[1].endswith("--check\n")
    tried = []
    monkeypatch.setattr(bundle, "try_out", lambda *words: tried.append(words[:2]))
    assert "runs without a network" in command("class", "bundle", folder, "--check")[1]
    command("class", "bundle", folder, "--check", "--lesson", "00,14")
    command("class", "bundle", folder, "--check", "--lesson", "all")
    assert tried == [(folder, ["00"]), (folder, ["00,14"]), (folder, [])]


def test_a_file_where_a_folder_is_wanted_is_told_of(command, planned, root, tmp_path, monkeypatch):
    from fmcourse.lessons import catalogue

    (tmp_path / "file").write_text("mine")
    for words in (("class", "slides", "00", "--to", tmp_path / "file"),
                  ("class", "bundle", tmp_path / "file")):
        with monkeypatch.context() as patch:
            if words[1] == "bundle":
                patch.setattr(catalogue, "root", lambda: root)
            code, _, complaint = command(*words)
        assert code == 1
        assert "cannot be made" in complaint
    assert (tmp_path / "file").read_text() == "mine"

"""The doctor: every fabricated broken state gives the right finding, with a fix."""

import io
import locale
import shutil
import subprocess
import sys
import urllib.error
from dataclasses import replace
from importlib import metadata
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from fmcourse import doctor, hardware, sources
from fmcourse.doctor import finding, holdings, installation, machine
from fmcourse.doctor.finding import OK, PROBLEM, WARN, Finding
from fmcourse.errors import StoreError
from fmcourse.hardware import compilers
from fmcourse.hardware.selftest import Check


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "home"))
    for name in ("FMCOURSE_DEVICE", "FMCOURSE_DTYPE", "FMCOURSE_WHEELHOUSE"):
        monkeypatch.delenv(name, raising=False)


def only(findings):
    """The one finding of a topic."""
    (found,) = findings
    return found


def machine_like(monkeypatch, **changes):
    here = hardware.Hardware(
        device="cpu", dtype="bfloat16", reason="Because.", name="A chip", cores=4, threads=4,
        memory_bytes=16 * 10**9, memory_available=8 * 10**9, device_memory_bytes=0,
        compiler=True, compiler_reason="It is there.")
    monkeypatch.setattr(hardware, "detect", lambda: replace(here, **changes))


# Installation ---------------------------------------------------------------------------------


def locked(monkeypatch, tmp_path, text, needed=()):
    lock = tmp_path / "constraints.txt"
    lock.write_text(text)
    monkeypatch.setattr(installation, "lock_file", lambda: lock)
    monkeypatch.setattr(installation, "needed", lambda: installation._parse(list(needed)))


def test_tested_versions_pass_whatever_the_build_label(monkeypatch, tmp_path):
    plain = metadata.version("torch").partition("+")[0]
    locked(monkeypatch, tmp_path, f"# tested\ntorch=={plain}\nnot-installed-extra==1.0\n",
           ["torch"])
    found = only(installation.packages())
    assert (found.status, found.what) == (OK, "All 1 packages have the tested versions.")


def test_another_version_is_named_with_the_tested_one(monkeypatch, tmp_path):
    locked(monkeypatch, tmp_path, "torch==1.0\nrich==0.1 ; python_version < '3'\n")
    found = only(installation.packages())
    assert found.status == WARN
    assert f"torch {torch.__version__} (tested ==1.0)" in found.what
    assert "rich" not in found.what
    assert f"install -c {tmp_path / 'constraints.txt'}" in found.fix


def test_many_other_versions_are_counted(monkeypatch, tmp_path):
    names = ["torch", "rich", "numpy", "pandas", "transformers", "datasets", "tokenizers", "psutil"]
    locked(monkeypatch, tmp_path, "".join(f"{name}==0.0.1\n" for name in names))
    assert only(installation.packages()).what.endswith("and 2 more.")


def test_a_missing_package_is_a_problem(monkeypatch, tmp_path):
    locked(monkeypatch, tmp_path, "torch==1.0\n", ["no-such-package-here>=1", "torch",
                                                   "absent-extra ; extra == 'x'"])
    first = next(installation.packages())
    assert (first.status, first.what) == (PROBLEM, "Not installed: no-such-package-here.")
    assert "-m pip install" in first.fix


def test_a_missing_lock_file_is_a_warning(monkeypatch):
    monkeypatch.setattr(installation, "lock_file", lambda: None)
    monkeypatch.setattr(installation, "needed", list)
    assert only(installation.packages()).status == WARN


def test_the_lock_file_is_found_above_the_working_folder(monkeypatch, tmp_path):
    inner = tmp_path / "repo" / "notebooks"
    (tmp_path / "repo" / "fmcourse").mkdir(parents=True)
    inner.mkdir()
    lock = tmp_path / "repo" / "constraints.txt"
    lock.write_text("torch==1\n")
    (tmp_path / "constraints.txt").write_text("another project's\n")
    monkeypatch.chdir(inner)
    monkeypatch.setattr(installation, "PACKAGE", tmp_path / "site-packages" / "fmcourse")
    assert installation.lock_file() == lock
    lock.unlink()
    assert installation.lock_file() is None


def test_an_old_python_is_a_problem(monkeypatch):
    monkeypatch.setattr(installation.platform, "python_version", lambda: "3.9.1")
    found = only(installation.python())
    assert found.status == PROBLEM
    assert "3.9.1" in found.what
    assert found.fix


def test_this_python_will_do():
    assert only(installation.python()).status == OK


def test_a_missing_kernel_is_a_problem(monkeypatch):
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda name: None)
    found = only(installation.notebook())
    assert found.status == PROBLEM
    assert "install ipykernel" in found.fix


@pytest.mark.parametrize(("program", "status"), [
    ("python", OK), (sys.executable, OK), ("/nowhere/bin/python", WARN),
    (shutil.which("sh") or "cmd", WARN)])
def test_the_kernel_must_be_this_python(monkeypatch, program, status):
    from jupyter_client import kernelspec

    spec = SimpleNamespace(argv=[program, "-m", "ipykernel_launcher"])
    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", lambda *_: spec)
    found = only(installation.notebook())
    assert found.status == status
    assert ("--sys-prefix" in found.fix) == (status == WARN)


@pytest.mark.skipif(sys.platform == "win32", reason="environments link to their Python elsewhere")
def test_another_environment_of_the_same_python_is_another_python(tmp_path):
    twin = tmp_path / "python"
    twin.symlink_to(sys.executable)
    assert finding.is_this_python(sys.executable)
    assert not finding.is_this_python(str(twin))
    assert not finding.is_this_python("no-such-program")


@pytest.mark.parametrize(("here", "start"), [(True, "python -m pip"), (False, sys.executable)])
def test_commands_name_the_python_in_full_when_they_must(monkeypatch, here, start):
    monkeypatch.setattr(finding, "is_this_python", lambda program: here)
    monkeypatch.setattr(finding, "quoted", str)
    assert finding.pip("list").startswith(start)


def test_an_unregistered_kernel_is_a_problem(monkeypatch):
    from jupyter_client import kernelspec

    def unknown(self, name):
        raise kernelspec.NoSuchKernel(name)

    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", unknown)
    assert only(installation.notebook()).status == PROBLEM


def test_an_old_encoding_is_a_warning(monkeypatch):
    monkeypatch.setattr(installation.sys, "flags", SimpleNamespace(utf8_mode=0))
    monkeypatch.setattr(locale, "getencoding", lambda: "cp1252")
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding="UTF-8"))
    found = only(installation.encoding())
    assert (found.status, found.fix.split()[-1]) == (WARN, "PYTHONUTF8=1")
    assert "cp1252 for files" in found.what
    assert "terminal" not in found.what


# The machine ----------------------------------------------------------------------------------


def test_an_unused_nvidia_card_is_pointed_out(monkeypatch):
    machine_like(monkeypatch)
    monkeypatch.setattr(machine.shutil, "which", {"nvidia-smi": "/usr/bin/nvidia-smi"}.get)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for build, told in ((None, "without CUDA"), ("13.0", "too old for CUDA 13.0")):
        monkeypatch.setattr(torch.version, "cuda", build)
        _, found = machine.device()
        assert found.status == WARN
        assert told in found.what


@pytest.mark.parametrize(("lock", "command"), [
    (True, "install --force-reinstall -c {lock} torch"),
    (False, f"install --force-reinstall torch=={torch.__version__.partition('+')[0]}")])
def test_a_new_pytorch_comes_with_the_libraries_it_needs(monkeypatch, tmp_path, lock, command):
    machine_like(monkeypatch)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.setattr(machine.shutil, "which", {"nvidia-smi": "/usr/bin/nvidia-smi"}.get)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(finding, "is_this_python", lambda program: True)
    path = tmp_path / "constraints.txt"
    monkeypatch.setattr(installation, "lock_file", lambda: path if lock else None)
    _, found = machine.device()
    assert found.fix == "python -m pip " + command.format(lock=path)


def test_on_windows_the_cuda_build_is_found_by_the_selector(monkeypatch):
    machine_like(monkeypatch)
    monkeypatch.setattr(machine.sys, "platform", "win32")
    monkeypatch.setattr(machine.shutil, "which", {"nvidia-smi": "nvidia-smi.exe"}.get)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    _, found = machine.device()
    assert "pytorch.org/get-started" in found.fix
    assert f"torch=={torch.__version__.partition('+')[0]} --force" in found.fix
    assert "pip install" not in found.fix  # pip alone would bring the CPU build again


def test_several_gpus_are_pointed_out(monkeypatch):
    machine_like(monkeypatch, device="cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    _, found = machine.device()
    assert (found.status, found.fix) == (OK, "")
    assert "uses the first one" in found.what
    assert "--nproc-per-node=4" in found.what


@pytest.mark.parametrize(("device", "wrong", "fix"), [
    ("mps", ["softmax, float32"], "FMCOURSE_DEVICE=cpu"),
    ("cpu", ["softmax, bfloat16", "attention, bfloat16"], "FMCOURSE_DTYPE=float32"),
    ("cpu", ["softmax, bfloat16", "softmax, float32"], "--force-reinstall")])
def test_wrong_arithmetic_is_a_problem_with_a_way_round(monkeypatch, device, wrong, fix):
    machine_like(monkeypatch, device=device)
    checks = [Check("layer norm, float32", True, 1e-7, 1e-4)]
    checks += [Check(name, False, 0.5, 1e-4, "as told") for name in wrong]
    monkeypatch.setattr(hardware, "check_device", lambda *_: checks)
    found = only(machine.arithmetic())
    assert found.status == PROBLEM
    assert all(name in found.what for name in wrong)
    assert "layer norm" not in found.what
    assert fix in found.fix


def test_sound_arithmetic_reports_its_largest_error(monkeypatch):
    machine_like(monkeypatch)
    checks = [Check("a", True, 1e-6, 1e-4), Check("b", True, 9e-3, 2e-2)]
    monkeypatch.setattr(hardware, "check_device", lambda *_: checks)
    found = only(machine.arithmetic())
    assert found.status == OK
    assert "9e-03 (b)" in found.what


@pytest.mark.parametrize(("cores", "threads", "status", "fix"), [
    (4, 4, OK, ""), (8, 4, OK, ""), (2, 64, WARN, "OMP_NUM_THREADS=2"),
    (16, 1, WARN, "OMP_NUM_THREADS=8")])
def test_threads_should_match_the_cores(monkeypatch, cores, threads, status, fix):
    machine_like(monkeypatch, cores=cores, threads=threads)
    found = only(machine.threads())
    assert found.status == status
    assert found.fix.endswith(fix)


def test_a_missing_compiler_is_a_warning_with_a_fix(monkeypatch):
    machine_like(monkeypatch)
    answer = compilers.Support(False, "No C++ compiler.", "install one")
    monkeypatch.setattr(compilers, "support", lambda device: answer)
    found = only(machine.compiler())
    assert (found.status, found.fix) == (WARN, "install one")
    answer = compilers.Support(False, "A prototype.")  # nobody can mend that
    assert only(machine.compiler()).status == OK


@pytest.mark.parametrize(("free", "status"), [(8e9, OK), (5e9, WARN), (2e9, PROBLEM)])
def test_free_memory_is_judged(monkeypatch, free, status):
    monkeypatch.setattr(hardware, "memory", lambda: (16 * 10**9, int(free)))
    found = only(machine.memory())
    assert found.status == status
    assert f"{free / 1e9:.1f} GB" in found.what


@pytest.mark.parametrize(("free", "status"), [(50e9, OK), (1e9, PROBLEM)])
def test_free_disk_is_judged(monkeypatch, free, status):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert only(machine.disk()).status == status


def test_a_home_that_cannot_be_written_is_a_problem(monkeypatch):
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    found = only(machine.disk())
    assert (found.status, "cannot be written" in found.what) == (PROBLEM, True)
    assert "FMCOURSE_HOME" in found.fix


def test_a_home_that_cannot_be_made_is_a_problem(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FMCOURSE_HOME", str(tmp_path / "file" / "below"))
    found = only(finding.guarded("disk", machine.disk))
    assert found.status == PROBLEM
    assert "FMCOURSE_HOME" in found.fix


# Sources, models, network ---------------------------------------------------------------------


def archives(monkeypatch, tmp_path, **states):
    """A registry whose sources are on disk in the given states."""
    known, statuses = {}, {}
    for name, state in states.items():
        known[name] = SimpleNamespace(name=name, kind="wheel", package=f"{name}-package",
                                      version="1", file=f"{name}.whl", member="")
        path = tmp_path / name
        path.mkdir(exist_ok=True)
        (path / "file").write_bytes(b"x" * 3_000_000)
        statuses[name] = SimpleNamespace(
            name=name, state=state, path=None if state == "absent" else path,
            detail="file has changed since it was fetched")
    monkeypatch.setattr(sources, "registry", lambda: known)
    monkeypatch.setattr(sources, "verify", statuses.get)


def test_sources_ready_and_to_come(monkeypatch, tmp_path):
    archives(monkeypatch, tmp_path, one="ready", two="ready", three="absent")
    found = only(holdings.cached())
    assert found.status == OK
    assert "2 of 3 archives on disk (6 MB)" in found.what
    assert found.what.endswith("when first used: three.")


def test_a_damaged_source_is_a_problem_with_the_command_to_delete_it(monkeypatch, tmp_path):
    archives(monkeypatch, tmp_path, one="ready", two="damaged")
    bad, rest = holdings.cached()
    assert bad.status == PROBLEM
    assert "two is damaged: file has changed" in bad.what
    assert str(tmp_path / "two") in bad.fix
    assert "1 of 2" in rest.what


def test_the_real_registry_is_examined():
    found = only(holdings.cached())
    assert found.status == OK
    assert "fetched when first used" in found.what


def answer(monkeypatch, code, stderr=""):
    def run(command, **_):
        asked.append(command[-1])
        return SimpleNamespace(returncode=code, stderr=stderr)

    asked = []
    monkeypatch.setattr(holdings.subprocess, "run", run)
    return asked


def test_the_index_is_asked_for_what_is_still_needed(monkeypatch, tmp_path):
    archives(monkeypatch, tmp_path, one="ready", two="absent")
    asked = answer(monkeypatch, 0)
    assert only(holdings.index()).status == OK
    assert asked == ["two-package"]


def test_an_unreachable_index_is_a_problem_only_when_needed(monkeypatch, tmp_path):
    answer(monkeypatch, 1, "ERROR: no connection to some.host")
    archives(monkeypatch, tmp_path, one="ready")
    assert only(holdings.index()).status == OK
    archives(monkeypatch, tmp_path, one="ready", two="absent")
    found = only(holdings.index())
    assert found.status == PROBLEM
    assert "two-package" in found.what
    assert "some.host" not in found.what + found.fix
    assert "config set global.index-url" in found.fix
    monkeypatch.setenv("FMCOURSE_WHEELHOUSE", "wheels")
    assert only(holdings.index()).status == WARN


def test_a_slow_index_counts_as_unreachable(monkeypatch, tmp_path):
    def run(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    archives(monkeypatch, tmp_path, two="absent")
    monkeypatch.setattr(holdings.subprocess, "run", run)
    assert only(holdings.index()).status == PROBLEM


def test_a_python_without_pip_is_a_problem(monkeypatch, tmp_path):
    archives(monkeypatch, tmp_path, two="absent")
    answer(monkeypatch, 1, "python: No module named pip")
    assert only(holdings.index()).fix.endswith("-m ensurepip")


def test_the_hub_is_never_needed(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    told = {"Not reachable": urllib.error.URLError("refused"), "Reachable": None}
    for words, error in told.items():
        def visit(request, timeout, error=error):
            if error:
                raise error
            return io.BytesIO()

        monkeypatch.setattr(holdings.urllib.request, "urlopen", visit)
        found = only(holdings.hub())
        assert found.status == OK
        assert found.what.startswith(words)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(holdings.urllib.request, "urlopen", lambda *_, **__: pytest.fail("asked"))
    assert "Switched off" in only(holdings.hub()).what


def model_folder(folder, **tensors):
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    if tensors:
        save_file(tensors, folder / "model.safetensors")
    return folder


def test_models_are_opened_not_only_listed(monkeypatch, tmp_path):
    base = model_folder(tmp_path / "base", a=torch.zeros(3), b=torch.zeros(2))
    monkeypatch.setattr(holdings, "BASE", base)
    assert only(holdings.models()).what.startswith("base: 2 tensors")
    model_folder(tmp_path / "home" / "models" / "smollm2-abc")
    _, broken = holdings.models()
    assert (broken.status, "no weights" in broken.what) == (PROBLEM, True)
    assert "smollm2-abc" in broken.fix


def test_cut_off_weights_are_a_problem(monkeypatch, tmp_path):
    base = model_folder(tmp_path / "base", a=torch.zeros(300))
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    monkeypatch.setattr(holdings, "BASE", base)
    found = only(holdings.models())
    assert (found.status, "cannot be read" in found.what) == (PROBLEM, True)
    assert "models/base" in found.fix


def test_a_missing_base_model_is_a_warning(monkeypatch, tmp_path):
    monkeypatch.setattr(holdings, "BASE", tmp_path / "nowhere")
    assert only(holdings.models()).status == WARN


# The whole ------------------------------------------------------------------------------------


def topics(monkeypatch, **statuses):
    """Replace all examinations by ones with the given outcome."""
    def examination(topic, status):
        return lambda: [Finding(topic, status, f"What [{topic}] is.", "do")]

    made = {topic: examination(topic, status) for topic, status in statuses.items()}
    monkeypatch.setattr(doctor, "LOCAL", made)
    monkeypatch.setattr(doctor, "REMOTE", {"far": lambda: [Finding("far", OK, "There.")]})


def shown(findings, width=80):
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(doctor.report(findings))
    return console.file.getvalue()


@pytest.mark.parametrize(("statuses", "code"), [
    ({"a": OK}, 0), ({"a": OK, "b": WARN}, 0), ({"a": WARN, "b": PROBLEM}, 1)])
def test_the_exit_code_tells_problems(monkeypatch, capsys, statuses, code):
    topics(monkeypatch, **statuses)
    assert doctor.main(online=False) == code
    assert "What [a] is." in capsys.readouterr().out


def test_offline_asks_nothing(monkeypatch):
    topics(monkeypatch, a=OK)
    assert [f.topic for f in doctor.examine(online=False)] == ["a"]
    assert [f.topic for f in doctor.examine(online=True)] == ["a", "far"]


def test_one_broken_examination_does_not_end_the_others(monkeypatch):
    def import_fails():
        raise ModuleNotFoundError("No module named 'torch'", name="torch.nn")

    def store_fails():
        raise StoreError("Not writable.", where="here", fix="Move it.")
        yield

    topics(monkeypatch, last=OK)
    monkeypatch.setattr(doctor, "LOCAL", {"x": import_fails, "y": store_fails} | doctor.LOCAL)
    first, second, third = doctor.examine(online=False)
    assert first.status == second.status == PROBLEM
    assert first.fix.endswith("install --force-reinstall torch")
    assert (second.what, second.fix) == ("Not writable. (here)", "Move it.")
    assert third.status == OK


def test_a_cause_shared_by_topics_is_told_once(monkeypatch):
    monkeypatch.setenv("FMCOURSE_DEVICE", "tpu")
    wanted = ("device", "arithmetic", "threads", "compiler")
    monkeypatch.setattr(doctor, "LOCAL", {topic: doctor.LOCAL[topic] for topic in wanted})
    found = only(doctor.examine(online=False))
    assert (found.topic, found.status) == ("device", PROBLEM)
    assert "'tpu'" in found.what


def test_the_report_reads_in_words_at_any_width():
    findings = [Finding("memory", WARN, "4.0 GB of 8.0 GB free.", "Close other programs."),
                Finding("disk", PROBLEM, "Full.", "export FMCOURSE_HOME=[elsewhere]")]
    for width in (60, 120):
        text = shown(findings, width)
        assert "fix: Close other programs." in text
        assert "[elsewhere]" in text
        assert "1 problem to mend" in text
    assert "1 warning" in shown(findings[:1])
    assert "Everything the course needs" in shown([Finding("a", OK, "Good.")])
    assert max(map(len, shown(findings, 60).splitlines())) <= 60
    assert "text/html" in doctor.report(findings)._repr_mimebundle_([], [])


def test_every_topic_is_examined_here(monkeypatch):
    monkeypatch.setattr(hardware, "check_device", lambda *_: [Check("a", True, 1e-6, 1e-4)])
    found = doctor.examine(online=False)
    assert [*dict.fromkeys(f.topic for f in found)] == [*doctor.LOCAL]
    assert not [f for f in found if "could not be examined" in f.what]
    assert all(f.fix for f in found if f.status == PROBLEM)

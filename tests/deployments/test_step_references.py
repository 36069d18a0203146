"""What steps refer to, what they need, and that none of their arguments becomes an option of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect.blocks.system import Secret
from prefect.deployments.steps import StepExecutionError, git_clone, run_step, run_steps
from prefect.deployments.storage import GitRepository
from prefect.testing import prefect_test_harness
from prefect.variables import Variable

STEPS = "prefect.deployments.steps"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")


def say(text: str) -> dict[str, object]:
    return {"said": text}


@pytest.fixture(autouse=True)
def _steps_here(monkeypatch):
    import sys
    from types import ModuleType

    module = ModuleType("steps_of_tests")
    module.say = say
    monkeypatch.setitem(sys.modules, "steps_of_tests", module)


def step(text: object, **about: object):
    return {"steps_of_tests.say": {"text": text, **about}}


def test_steps_refer_to_what_came_before():
    outputs = run_steps([step("a", id="first"), step("{{ first.said }}{{ said }} {{ unknown }}")])

    assert outputs == {"said": "aa {{ unknown }}", "first": {"said": "a"}}


def test_steps_refer_to_what_is_kept_elsewhere(monkeypatch):
    monkeypatch.setenv("HERE", "env")
    with prefect_test_harness():
        Secret(value="s3cret").save("token")
        Variable.set("branch", {"name": "main"})

        assert run_step(step("{{ prefect.blocks.secret.token }}")) == {"said": "s3cret"}
        assert run_step(step("{{ prefect.variables.branch }}")) == {"said": {"name": "main"}}
        assert run_step(step("{{ $HERE }}/x")) == {"said": "env/x"}
        for missing in ("prefect.blocks.secret.none", "prefect.variables.none", "$NOT_THERE_AT_ALL"):
            with pytest.raises(StepExecutionError, match=r"no block|no variable"):
                run_step(step(f"{{{{ {missing} }}}}"))


def test_what_steps_require_must_be_packages():
    assert run_step(step("a", requires=["pytest", "msgspec>=0.1"])) == {"said": "a"}
    for bad in ("--index-url=http://127.0.0.1", "a\nb", 3):
        with pytest.raises(StepExecutionError, match=r"names packages|not iterable"):
            run_step(step("a", requires=bad))


def test_a_step_must_be_a_function():
    with pytest.raises(StepExecutionError, match=r"no step 'os.sep' here: that is no function"):
        run_step({"os.sep": {}})
    with pytest.raises(StepExecutionError, match="need their names"):
        run_step({"os.getcwd": [1]})


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("origin") / "code"
    (place / "a").mkdir(parents=True)
    (place / "b").mkdir()
    (place / "a" / "x").write_text("1")
    (place / "b" / "y").write_text("2")
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *words], cwd=place, check=True, capture_output=True)
    return place


def test_only_some_folders_are_got(repository, tmp_path):
    found = git_clone(f"file://{repository}", directories=["a"])

    assert found == {"directory": str(tmp_path / "in" / "code")}
    assert (tmp_path / "in" / "code" / "a" / "x").exists()
    assert not (tmp_path / "in" / "code" / "b").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "https://example.com/.."},
        {"url": "https://example.com/a", "name": "../b"},
        {"url": "https://example.com/a", "name": "/etc"},
        {"url": "https://example.com/a", "name": "."},
        {"url": "https://example.com/a", "branch": "x\n--upload-pack=y"},
        {"url": "https://example.com/a", "branch": " "},
        {"url": "https://example.com/a", "directories": ["--no-cone"]},
    ],
)
def test_code_is_put_below_the_folder_for_it(arguments):
    with pytest.raises(ValueError):
        GitRepository(**arguments)


HOSTILE = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["--upload-pack=touch pwned", "-u touch pwned", "ext::sh -c touch% pwned", "-", "--"]),
    st.builds(
        "".join, st.lists(st.sampled_from(["-", "--", "ext::", "\n", "a", "/", "..", "=", " "]), max_size=6)
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(branch=HOSTILE, commit=HOSTILE, directory=HOSTILE, name=HOSTILE)
def test_no_argument_becomes_an_option_of_git(repository, tmp_path, branch, commit, directory, name):
    """Git is asked for what is not there, or refuses it; it never runs what an argument says."""
    for given_ in ({"branch": branch}, {"commit_sha": commit}, {"directories": [directory]}):
        try:
            git_clone(f"file://{repository}", clone_directory_name=name, **given_)
        except (ValueError, RuntimeError, OSError):
            continue
    assert not list(tmp_path.rglob("pwned"))
    assert not list(repository.rglob("pwned"))
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


@settings(max_examples=60, deadline=None)
@given(url=HOSTILE)
def test_no_url_is_an_option_or_a_program(url):
    try:
        made = GitRepository(url)
    except ValueError:
        return
    assert not made._url.startswith("-") and "\n" not in made._url
    assert "::" not in made._url.partition("/")[0]

"""The hook that `make install` gives git: what it asks of a message, and where it is put."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import commit_message
from scripts.commit_message import problems

BODY = "\n\nIt was wrong before.\n"


@pytest.mark.parametrize(
    "subject",
    [
        "Add a queue",
        "Bring back the old order",
        "Feed the worker from two queues",
        "Embed the page",
        "Process FIFO groups in order",
        "Focus on what failed",
        "Ping the server first",
        "Alias the old name",
        "`Retry` waits",
        "A" * 72,
    ],
)
def test_a_subject_in_the_imperative_is_taken(subject: str) -> None:
    assert problems(subject + BODY) == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("A" * 73 + BODY, "shorten the subject: it has 73 characters, 72 are allowed"),
        ("Add a queue." + BODY, "end the subject without a full stop"),
        ("add a queue" + BODY, "begin the subject with a capital letter: Add"),
        ("Added a queue" + BODY, "begin the subject in the imperative, not with Added: Add, not Adds, Added or Adding"),
        ("Adds a queue" + BODY, "begin the subject in the imperative, not with Adds: Add, not Adds, Added or Adding"),
        ("Using a queue" + BODY, "begin the subject in the imperative, not with Using: Add, not Adds, Added or Adding"),
        ("Add a queue\nIt was wrong before.\n", "leave the second line blank"),
        ("Add a queue\n", "add a body: why it was done, and what was left out"),
        ("Add a queue\n\n# Please enter the message\n", "add a body: why it was done, and what was left out"),
        ("Add a queue\n\nSigned-off-by: Ann <a@x>\n", "add a body: why it was done, and what was left out"),
        ("", "write a subject"),
    ],
)
def test_what_is_wrong_is_told(message: str, problem: str) -> None:
    assert problem in problems(message)


def test_everything_is_told_at_once() -> None:
    assert len(problems("adds a queue.\nand more\n")) == 4


@pytest.mark.parametrize(
    "message",
    [
        "Merge branch 'main' into topic\n",
        'Revert "Added a queue."\n\nThis reverts commit 0123.\n',
        'Reapply "Add a queue"\n',
        "fixup! Add a queue\n",
        "squash! Add a queue\n",
    ],
)
def test_what_git_writes_by_itself_passes(message: str) -> None:
    assert problems(message) == []


def test_comments_and_the_difference_below_the_scissors_do_not_count() -> None:
    below = "# ------------------------ >8 ------------------------\n# Do not modify the line above.\ndiff --git a b\n"

    assert problems(f"# On branch main\nAdd a queue\n\nWhy.\n{below}") == []
    assert problems(f"Add a queue\n\n{below}") == ["add a body: why it was done, and what was left out"]


class TestInstall:
    @pytest.fixture
    def checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A repository that has the script, and git without anybody's settings."""
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        checkout = tmp_path / "checkout"
        (checkout / "scripts").mkdir(parents=True)
        shutil.copy(commit_message.__file__, checkout / "scripts")
        monkeypatch.setattr(commit_message, "ROOT", checkout)
        self.git(checkout, "init", "--quiet", "--template=")
        return checkout

    def git(self, checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@shop.example")
        return subprocess.run(["git", *who, *words], cwd=checkout, capture_output=True, text=True, check=False)

    def commit(self, checkout: Path, *messages: str) -> subprocess.CompletedProcess[str]:
        words = [word for message in messages for word in ("--message", message)]
        return self.git(checkout, "commit", "--allow-empty", *words)

    def test_git_refuses_a_message_and_says_why(self, checkout: Path) -> None:
        assert commit_message.install() == ""
        assert commit_message.install() == ""  # once more changes nothing

        refused = self.commit(checkout, "Added a queue.")
        assert refused.returncode == 1
        assert refused.stderr.splitlines() == [
            "commit message: end the subject without a full stop",
            "commit message: begin the subject in the imperative, not with Added: Add, not Adds, Added or Adding",
            "commit message: add a body: why it was done, and what was left out",
        ]
        assert self.commit(checkout, "Add a queue", "It was wrong before.").returncode == 0
        assert self.commit(checkout, "fixup! Add a queue").returncode == 0

    def test_a_branch_without_the_script_is_not_checked(self, checkout: Path) -> None:
        commit_message.install()
        shutil.rmtree(checkout / "scripts")
        assert self.commit(checkout, "added").returncode == 0

    def test_a_worktree_has_the_hook_of_its_repository(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.git(checkout, "add", ".")
        self.commit(checkout, "Begin", "With the script.")
        assert self.git(checkout, "worktree", "add", "--quiet", "../beside").returncode == 0
        monkeypatch.setattr(commit_message, "ROOT", checkout.parent / "beside")

        assert commit_message.install() == ""
        assert self.commit(checkout.parent / "beside", "added").returncode == 1
        assert self.commit(checkout, "added").returncode == 1

    def test_another_hook_stays_as_it_is(self, checkout: Path) -> None:
        hook = checkout / ".git" / "hooks" / "commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\n", encoding="ascii")

        told = commit_message.install()
        assert told.startswith(f"commit messages are not checked: {hook} is a hook of your own; ")
        assert hook.read_text(encoding="ascii") == "#!/bin/sh\n"

    def test_a_folder_of_hooks_for_all_repositories_is_left_alone(self, checkout: Path, tmp_path: Path) -> None:
        self.git(checkout, "config", "core.hooksPath", str(tmp_path / "shared"))

        assert "core.hooksPath leads to" in commit_message.install()
        assert not (tmp_path / "shared").exists()

    def test_outside_a_checkout_nothing_happens(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        unpacked = checkout / "vendor" / "junction"
        unpacked.mkdir(parents=True)
        monkeypatch.setattr(commit_message, "ROOT", unpacked)

        assert commit_message.install() == ""
        assert not (checkout / ".git" / "hooks" / "commit-msg").exists()

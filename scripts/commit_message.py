"""Check a commit's message: `python scripts/commit_message.py FILE`; `--install` makes git do it for each commit.

What git writes by itself passes: merges, reverts, and commits that are to be folded into others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SUBJECT = 72
BY_GIT = ("Merge ", 'Revert "', 'Reapply "', "fixup! ", "squash! ", "amend! ")
SCISSORS = re.compile(r"^# -+ >8 -+$", re.MULTILINE)
TRAILER = re.compile(r"[A-Z][\w-]*: \S")
# Verbs that end like a form of another.
IMPERATIVE_ALL_THE_SAME = {"alias", "bias", "embed"}

MARK = "# made by: make install"
HOOK = f"""\
#!/bin/sh
{MARK}
# Checks the message of a commit, by the script of the branch that is checked out, if it has one.
top=$(git rev-parse --show-toplevel) || exit 0
[ -f "$top/scripts/commit_message.py" ] || exit 0
python="$top/.venv/bin/python"
[ -x "$python" ] || python=python3
exec "$python" "$top/scripts/commit_message.py" "$1"
"""


def problems(message: str) -> list[str]:
    """Return what is wrong with a message, comments of git's editor left out."""
    kept = SCISSORS.split(message, maxsplit=1)[0].splitlines()
    lines = "\n".join([line.rstrip() for line in kept if not line.startswith("#")]).strip("\n").split("\n")
    subject, rest = lines[0], lines[1:]
    if subject.startswith(BY_GIT):
        return []
    told = _problems_of_subject(subject)
    if rest and rest[0]:
        told.append("leave the second line blank")
    if not any(line and not TRAILER.match(line) for line in rest):
        told.append("add a body: why it was done, and what was left out")
    return told


def _problems_of_subject(subject: str) -> list[str]:
    told = []
    if not subject:
        return ["write a subject"]
    if len(subject) > LONGEST_SUBJECT:
        told.append(f"shorten the subject: it has {len(subject)} characters, {LONGEST_SUBJECT} are allowed")
    if subject.endswith("."):
        told.append("end the subject without a full stop")
    first = subject.split(maxsplit=1)[0].rstrip(",:")
    if first[0].islower():
        told.append(f"begin the subject with a capital letter: {first.capitalize()}")
    if not _may_be_imperative(first.lower()):
        told.append(f"begin the subject in the imperative, not with {first}: Add, not Adds, Added or Adding")
    return told


def _may_be_imperative(word: str) -> bool:
    """Return False for what looks like another form of a verb; bring, feed, pass and focus do not."""
    if word in IMPERATIVE_ALL_THE_SAME:
        return True
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and re.search("[aeiouy]", stem) and not word.endswith("eed"):
            return False
    return not word.endswith("s") or word.endswith(("ss", "us", "is"))


def _git(*words: str) -> str:
    """Return what git says of this checkout, an empty string where there is no git or it is none."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def install() -> str:
    """Make git check each commit, and return what there is to say about it; another's hook stays as it is."""
    top = _git("rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != ROOT:
        return ""  # an unpacked archive, perhaps inside somebody's own repository
    own = ROOT / _git("rev-parse", "--git-common-dir") / "hooks"
    hook = ROOT / _git("rev-parse", "--git-path", "hooks") / "commit-msg"
    advice = "; to have them checked, call scripts/commit_message.py with its argument there"
    if hook.parent.resolve() != own.resolve():
        return f"commit messages are not checked: core.hooksPath leads to {hook.parent}{advice}"
    if os.path.lexists(hook) and MARK not in hook.read_text(encoding="utf-8", errors="replace"):
        return f"commit messages are not checked: {hook} is a hook of your own{advice}"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK, encoding="ascii")
    hook.chmod(0o755)
    return ""


def main(arguments: list[str]) -> int:
    """Install the hook, or print each problem of the message in a file; 1 where there is one."""
    if arguments == ["--install"]:
        told = install()
        if told:
            print(told)
        return 0
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = problems(Path(arguments[0]).read_text(encoding="utf-8", errors="replace"))
    for problem in found:
        print(f"commit message: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

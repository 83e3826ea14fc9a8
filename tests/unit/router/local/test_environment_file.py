import pytest

from router.errors import ConfigurationError
from router.local.environment_file import FileVariables, variables_in


def test_names_and_values_are_read(tmp_path):
    file = tmp_path / ".env"
    file.write_text('# a comment\nTABLE=orders\nexport SECRET="a b"\nEMPTY=\nBOTH=${TABLE}-1\n')
    assert variables_in(file) == {"TABLE": "orders", "SECRET": "a b", "EMPTY": "", "BOTH": "orders-1"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [("A=1\nnonsense\n", r"\.env:2: 'nonsense' is not NAME=value"), ("A='open\n", r"\.env:1: .* is not NAME=value")],
)
def test_a_line_that_gives_no_value_is_named(tmp_path, text, problem):
    file = tmp_path / ".env"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        variables_in(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.env: "):
        variables_in(tmp_path / "missing.env")


def test_a_changed_file_is_read_again(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\nB=1\n")
    held = FileVariables(file, {"B": "given"})
    assert dict(held) == {"A": "1", "B": "given"}
    file.write_text("A=22\n")
    assert dict(held) == {"A": "22", "B": "given"}


def test_a_file_that_became_wrong_leaves_the_variables(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\n")
    held = FileVariables(file, {})
    file.write_text("nonsense\n")
    assert dict(held) == {"A": "1"}
    assert held.problem.endswith(".env:1: 'nonsense' is not NAME=value")
    file.write_text("A=333\n")
    assert (held["A"], held.problem) == ("333", "")


def test_a_file_that_has_gone_leaves_the_variables(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\n")
    held = FileVariables(file, {})
    file.unlink()
    assert (len(held), held["A"]) == (1, "1")
    assert held.problem

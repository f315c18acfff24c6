"""What the documents for newcomers name exists: files, folders, tests."""

import re

import pytest

from harness import REPO, TESTS

DOCUMENTS = ("CONTRIBUTING.md", "compat-tests/README.md", "docs/migrating.md")
# A path, and perhaps a test in it.
PLACE = re.compile(r"(?:[\w.-]+/)+[\w.-]*(?:::(\w+))?$|[\w-]+\.(?:md|py|toml)$")


def named(document):
    """Everything in a document that is a place in the repository: code, commands and links."""
    text = (REPO / document).read_text(encoding="utf-8")
    for code in re.findall(r"```\n(.*?)```|`([^`\n]+)`|\]\(([^)]+)\)", text, re.S):
        for word in "".join(code).split():
            if PLACE.match(word) and not word.startswith("/"):
                yield word


@pytest.mark.parametrize("document", DOCUMENTS)
def test_places_exist(document):
    missing, places = [], set(named(document))
    assert places
    for place in places:
        path, _, test = place.partition("::")
        found = [folder / path for folder in (REPO, TESTS) if (folder / path).exists()]
        if not found or test and f"def {test}(" not in found[0].read_text(encoding="utf-8"):
            missing.append(place)
    assert missing == []


def test_every_folder_is_described():
    text = (TESTS / "README.md").read_text(encoding="utf-8")
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}
    assert {folder for folder in folders if f"| `{folder}/` |" not in text} == set()


def test_tests_stand_in_folders():
    assert [path.name for path in TESTS.glob("test_*.py")] == []

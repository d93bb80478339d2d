"""Files that cannot be read are problems in words."""

from __future__ import annotations

import pytest

from spaces.files import text_of
from spaces.specs import SpecError


def test_reads_utf8_with_or_without_its_mark(tmp_path):
    file = tmp_path / "f"
    for encoding in ("utf-8", "utf-8-sig"):
        file.write_text("é: 1", encoding=encoding)
        assert text_of(file) == "é: 1"


def test_refuses(tmp_path):
    (tmp_path / "binary").write_bytes(b"a\xff")
    for name, problem in [
        ("none", "there is no such file"),
        (".", "is a folder; a file is due"),
        ("binary", "is not UTF-8 text (invalid start byte at byte 1)"),
        ("binary/below", "cannot be read (Not a directory)"),
        ("a\0b", "cannot be read (embedded null byte)"),
    ]:
        with pytest.raises(SpecError) as error:
            text_of(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {problem}"

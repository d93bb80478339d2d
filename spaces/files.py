"""Files that a user names: their text, or a problem in words."""

from __future__ import annotations

from pathlib import Path

from spaces.problems import SpecError


def text_of(path: str | Path) -> str:
    """The text of the file at ``path``.

    Raises:
        SpecError: if there is none, it is a folder, may not be read or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problem = "there is no such file"
    except IsADirectoryError:
        problem = "is a folder; a file is due"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text ({error.reason} at byte {error.start})"
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    raise SpecError([f"{path}: {problem}"])

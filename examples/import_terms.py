"""What is imported: the pages of a site, read from a file, and what the processes of an import know of each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from flows import FlowsError

#: What is imported where no source is given.
SAMPLE = Path(__file__).with_name("site.json")


class BadSource(FlowsError):
    """The source cannot be imported; the message says why, and what to change."""


class Image(BaseModel):
    """An image of a page, with its size in pixels."""

    name: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class Page(BaseModel):
    """A page of the site."""

    path: str = Field(min_length=1)
    text: str
    images: list[Image] = []


class Site(BaseModel):
    """The data of an import; members of the file that do not stand here are left out."""

    url: str = Field(min_length=1)
    pages: list[Page] = Field(min_length=1)


class Settings(BaseModel):
    """What a worker process is told, and the process that starts it has."""

    namespace: str
    """Before every key: an import that was killed is no part of the next one."""
    redis_url: str | None
    directory: Path
    """Where tasks note that they run."""
    pace: float
    """How long the work of a task takes, as a multiple of what it takes by default."""
    max_crashes: int
    """A run beside which its worker has died so often is taken for the reason; here somebody kills workers."""

    @property
    def busy(self) -> Path:
        """The file that says how many tasks run now."""
        return self.directory / "busy"

    @property
    def journal(self) -> Path:
        """The file with a line for each call of a task's function: its path."""
        return self.directory / "journal"


def read_site(file: Path) -> Site:
    """Read a source: a JSON object, `{"url", "pages": [{"path", "text", "images": [{"name", "width", "height"}]}]}`.

    Raises:
        BadSource: it cannot be read, is none, has no pages or one twice.
    """
    try:
        site = Site.model_validate_json(file.read_bytes())
    except OSError as error:
        raise BadSource(f"{file}: {error.strerror or error}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors()[:3])
        raise BadSource(f"{file}: this is no site: {told}") from error
    path, count = Counter(page.path for page in site.pages).most_common(1)[0]
    if count > 1:
        raise BadSource(f"{file}: page {path} is there {count} times: take out all but one")
    return site

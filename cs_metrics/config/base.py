"""What every section of the settings is made of: strict, frozen models."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Share", "Strict"]

Share: Any = Field(ge=0, le=1)


class Strict(BaseModel):
    """A section of the settings: an unknown entry is refused, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""The strength of each kind of augmentation, and the text in which a user gives them."""

import math
from dataclasses import dataclass, fields, replace

from lstmjax.errors import UsageError

MAX_STRENGTH = 4.0


@dataclass(frozen=True)
class Augmentation:
    """The strength of each kind of change: 0 is off, 1 is usual.

    Attributes:
      exposure: thicker or thinner strokes.
      blur: soft edges.
      noise: grain of the paper or of the sensor.
      spots: specks of ink, holes in letters.
      shade: weak or uneven ink, uneven light.
      slope: rotated lines.
      wave: uneven baselines.
      slant: letters that lean.
      stretch: narrower, wider and lower letters.
    """

    exposure: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    spots: float = 0.0
    shade: float = 0.0
    slope: float = 0.0
    wave: float = 0.0
    slant: float = 0.0
    stretch: float = 0.0

    @property
    def on(self) -> bool:
        """Whether any kind is on."""
        return any(getattr(self, name) > 0 for name in KINDS)


KINDS = tuple(field.name for field in fields(Augmentation))
NO_AUGMENTATION = Augmentation()


def parse_augmentation(value: float | str) -> Augmentation:
    """Read the value of `--augment`.

    Args:
      value: a strength for all kinds (`1`), strengths by kind (`noise=1,slope=0.5`), or both,
        beginning with the one for all kinds (`1,noise=0`).
    Raises: UsageError: there is no such kind, or a strength is not a number from 0 to 4.
    """
    text = value if isinstance(value, str) else f"{float(value):g}"
    settings = Augmentation()
    for place, part in enumerate(text.split(",")):
        name, equals, number = part.strip().rpartition("=")
        if not equals and place == 0:
            settings = Augmentation(*[_strength(number, text)] * len(KINDS))
        elif name.strip() in KINDS:
            settings = replace(settings, **{name.strip(): _strength(number, text)})
        else:
            raise UsageError(
                f"augment {text}: {part.strip()!r} is none of its kinds; expected a strength such "
                f"as 1, or kinds with theirs such as noise=0.5, of {', '.join(KINDS)}"
            )
    return settings


def _strength(number: str, text: str) -> float:
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not 0 <= strength <= MAX_STRENGTH:
        raise UsageError(
            f"augment {text}: expected a strength from 0 (off) to {MAX_STRENGTH:g}, 1 being "
            f"usual, found {number.strip()!r}"
        )
    return strength

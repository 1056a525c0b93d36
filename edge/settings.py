"""Every setting, declared once: flag, environment, TOML, --help and the README's table follow from here.

A flag beats the environment (``EDGE_VISION__MEDIAN=5``), which beats the TOML file, which beats the default.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from edge.errors import SettingsError
from edge.setting import setting
from edge.store.settings import StoreSettings
from edge.tracking.settings import TrackSettings
from edge.uri import nearest
from edge.vision.settings import VisionSettings

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

PREFIX = "EDGE_"


SECTIONS: dict[str, Any] = {"vision": VisionSettings, "track": TrackSettings, "store": StoreSettings}
"""The tables of the TOML file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of ``edge``. Make one with ``load_settings``, which checks it."""

    source: str = setting("picamera2:0", "where frames come from: a source URI")
    source_deadline: float = setting(
        2.0, "a camera that gives no frame for this many seconds is reported as stalled", ge=0.1, le=10
    )
    source_frozen: float = setting(
        10.0, "a camera that gives the same picture for this many seconds is opened again; 0: never", ge=0, le=3600
    )
    publish: tuple[str, ...] = setting(("jsonl:-",), "where readings and events go: one or more publisher URIs")
    device: str = setting("", "the name of this device in events and MQTT topics; empty: the host name")
    metrics: str = setting("", "address of the Prometheus metrics, host:port such as 127.0.0.1:9101; empty: off")
    web: str = setting("", "address of the live page, host:port such as 127.0.0.1:8080; empty: off")
    model: str = setting("", "the .tflite model file; empty: the model in the package")
    state: str = setting(
        "",
        "the state folder, for events, tokens, corrections and accepted models; empty: the service's own, or for a "
        "user ~/.local/state/edge-digits",
    )
    threads: int = setting(
        0,
        "threads of the TFLite runtime; 0: one, or two if edge run measures at its start that two are faster",
        ge=0,
        le=64,
    )
    min_confidence: float = setting(0.6, "a digit is read only if its probability is at least this", ge=0, le=1)
    vision: VisionSettings = field(default_factory=VisionSettings, metadata={"description": "how a frame is cleaned"})
    track: TrackSettings = field(
        default_factory=TrackSettings, metadata={"description": "when a change becomes an event"}
    )
    store: StoreSettings = field(
        default_factory=StoreSettings, metadata={"description": "how many past events are kept"}
    )


class Leaf(NamedTuple):
    """One setting as people see it."""

    name: str
    """Dotted: ``vision.median``."""
    type: Any
    default: Any
    description: str
    limits: tuple[Any, Any]
    """Least and greatest value, None where there is none."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The words it takes, where it takes only some."""
        return tuple(choice for choice in get_args(self.type) if isinstance(choice, str))

    @property
    def environment(self) -> str:
        """The name of its environment variable."""
        return PREFIX + self.name.upper().replace(".", "__")


@cache
def leaves() -> tuple[Leaf, ...]:
    """All settings, in the order of the TOML file."""
    return tuple(_leaves())


def _leaves() -> Iterator[Leaf]:
    for prefix, section in (("", Settings), *((f"{name}.", kind) for name, kind in SECTIONS.items())):
        hints = get_type_hints(section)
        for part in dataclasses.fields(section):
            if part.name not in SECTIONS:
                said = part.metadata
                limits = (said.get("ge"), said.get("le"))
                yield Leaf(prefix + part.name, hints[part.name], part.default, said["description"], limits)


def load_settings(config: str | Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from ``flags`` (dotted names), the environment, the TOML file and the defaults, in this order.

    Raises SettingsError: one line that names the file or variable, the setting, and what it takes.
    """
    file = _toml(Path(config)) if config else {}
    _no_misspelt_variables()

    # pydantic takes longer to import than everything else together: it is only asked where there is a doubt.
    if plain := _plain(file, flags or {}):
        return plain
    from pydantic import ValidationError

    try:
        return _checked(file, _nested(flags or {}))
    except ValidationError as error:
        raise SettingsError(_one_line(error, config, file, flags or {})) from error
    except ValueError as error:  # pydantic-settings: an environment variable that is no JSON where JSON is wanted
        raise SettingsError(f"environment: {error}") from error


def _plain(file: Mapping[str, Any], flags: Mapping[str, Any]) -> Settings | None:
    """The settings, where each of them is plainly what is wanted; None where pydantic has to judge, or to refuse."""
    sections: dict[str, dict[str, Any]] = {"": {}, **{name: {} for name in SECTIONS}}
    if any(PREFIX + name.upper() in os.environ or not isinstance(file.get(name, {}), Mapping) for name in SECTIONS):
        return None
    for leaf in leaves():
        section, _, name = leaf.name.rpartition(".")
        written = file.get(section, {}) if section else file
        for given, key in ((flags, leaf.name), (os.environ, leaf.environment), (written, name)):
            if key in given:
                value = _plain_value(leaf, given[key])
                if value is None:
                    return None
                sections[section][name] = value
                break
    parts = {name: kind(**sections[name]) for name, kind in SECTIONS.items()}
    return Settings(**sections[""], **parts)


def _plain_value(leaf: Leaf, given: Any) -> Any:
    """A value of the setting's type and within its limits, or None where that is not plain to see."""
    value: Any = None
    if leaf.type is str or leaf.choices:
        value = given if isinstance(given, str) and (not leaf.choices or given in leaf.choices) else None
    elif leaf.type is bool:
        value = given if isinstance(given, bool) else {"true": True, "false": False}.get(str(given))
    elif leaf.type in (int, float):
        points = 1 if leaf.type is float else 0
        numeral = isinstance(given, str) and given.isascii() and given.replace(".", "", points).isdigit()
        if numeral or type(given) in (int, leaf.type):
            value = leaf.type(given)
    elif isinstance(given, str):
        value = tuple(given.split())
    elif isinstance(given, list | tuple) and all(isinstance(one, str) for one in given):
        value = tuple(given)
    least, most = leaf.limits
    within = value is not None and (least is None or least <= value) and (most is None or value <= most)
    return value if within else None


def _checked(file: Mapping[str, Any], flags: Mapping[str, Any]) -> Settings:
    """The same settings as a pydantic-settings model, made of the declaration above, which reads and checks them."""
    from pydantic import BeforeValidator, Field, create_model
    from pydantic_settings import (
        BaseSettings,
        InitSettingsSource,
        NoDecode,
        PydanticBaseSettingsSource,
        SettingsConfigDict,
    )

    class Sourced(BaseSettings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid")

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(file))

    hints = get_type_hints(Settings)
    declared: dict[str, Any] = {}
    for part in dataclasses.fields(Settings):
        kind, limits = hints[part.name], {key: part.metadata[key] for key in ("ge", "le") if key in part.metadata}
        if get_origin(kind) is tuple:
            # One word, or several with blanks between, is as good as a list of them.
            kind = Annotated[kind, NoDecode, BeforeValidator(lambda v: tuple(v.split()) if isinstance(v, str) else v)]
        fresh = part.default_factory is not dataclasses.MISSING
        default = {"default_factory": part.default_factory} if fresh else {"default": part.default}
        declared[part.name] = (kind, Field(**default, **limits))
    model = create_model("Settings", __base__=Sourced, **declared)
    return Settings(**dict(model(**flags)))


def pinned_vision(flags: Mapping[str, Any]) -> frozenset[str]:
    """Which fields of ``[vision]`` a flag (dotted names) or the environment sets."""
    fields = {leaf.name: leaf for leaf in leaves() if leaf.name.startswith("vision.")}
    every = PREFIX + "VISION" in os.environ
    return frozenset(
        name.removeprefix("vision.")
        for name, leaf in fields.items()
        if every or name in flags or leaf.environment in os.environ
    )


def checked_vision(values: Mapping[str, Any]) -> VisionSettings:
    """``[vision]`` from values that nobody has checked; others are the defaults. Raises SettingsError, one line."""
    from pydantic import ValidationError

    known = [part.name for part in dataclasses.fields(VisionSettings)]
    for name in values:
        if name not in known:
            raise SettingsError(f"vision.{str(name)[:40]}: no such setting{nearest(str(name), known)}")
    try:
        return _vision_names().validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"vision.{first['loc'][0]}"
        leaf = next(leaf for leaf in leaves() if leaf.name == name)
        raise SettingsError(f"{name}: {repr(first['input'])[:40]}: {first['msg'].lower()}{_takes(leaf)}") from error


@cache
def _vision_names() -> TypeAdapter[VisionSettings]:
    from pydantic import TypeAdapter

    return TypeAdapter(VisionSettings)


def markdown() -> str:
    """The README's table of settings."""
    lines = ["| setting | default | what it is |", "|---|---|---|"]
    for leaf in leaves():
        default = " ".join(leaf.default) if isinstance(leaf.default, tuple) else str(leaf.default)
        default = default.lower() if isinstance(leaf.default, bool) else default
        limits = "" if leaf.limits == (None, None) else f" ({leaf.limits[0]} to {leaf.limits[1]})"
        lines.append(f"| `{leaf.name}` | {f'`{default}`' if default else ''} | {leaf.description}{limits} |")
    return "\n".join(lines)


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is no TOML ({error})") from error
    known = [leaf.name for leaf in leaves()]
    for name in _dotted(said):
        if name not in known and name not in SECTIONS:
            raise SettingsError(f"{path}: {name}: no such setting{nearest(name, known)}")
    return said


def _dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _nested(flags: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flags.items():
        section, _, rest = name.partition(".")
        if rest:
            tree.setdefault(section, {})[rest] = value
        else:
            tree[section] = value
    return tree


def _no_misspelt_variables() -> None:
    """EDGE_VISION__MEDAIN is an error; EDGE_SOMETHING_ELSE may belong to somebody else."""
    known = [leaf.environment for leaf in leaves()]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=1, cutoff=0.85)
            if close or "__" in name:
                raise SettingsError(f"environment: {name}: no such setting{nearest(name, known)}")


def _one_line(
    error: ValidationError, config: str | Path | None, file: Mapping[str, Any], flags: Mapping[str, Any]
) -> str:
    first = error.errors(include_url=False)[0]
    parts = [str(part) for part in first["loc"]]
    leaf = next((leaf for leaf in leaves() if leaf.name.split(".") == parts[: len(leaf.name.split("."))]), None)
    name = leaf.name if leaf else ".".join(parts)
    where = "environment"
    if name in flags:
        where = f"--{name}"
    elif config and parts[0] in file and (leaf is None or leaf.environment not in os.environ):
        where = str(config)
    takes = _takes(leaf) if leaf else ""
    setting = "" if where.startswith("--") else f" {name}:"
    # A URI in the wrong place may have a password.
    given = "what is given" if "://" in repr(first["input"]) else repr(first["input"])
    return f"{where}:{setting} {given}: {first['msg'].lower()}{takes}"


def _takes(leaf: Leaf) -> str:
    if leaf.choices:
        return f"; one of {', '.join(leaf.choices)}"
    return "" if leaf.limits == (None, None) else f"; {leaf.limits[0]} to {leaf.limits[1]}"

"""All settings, declared once: flags, environment, TOML file, ``--help`` and the table in ``docs/`` are made from here.

A flag beats the environment (``EDGE_VISION__MEDIAN=5``), which beats the TOML file, which beats the default.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from edge.errors import SettingsError
from edge.setting import setting
from edge.store.settings import StoreSettings
from edge.tracking.settings import TrackSettings
from edge.uri import did_you_mean
from edge.vision.settings import VisionSettings

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import BaseSettings

PREFIX = "EDGE_"
"""How the environment variables of settings begin."""
SHOWN_CHARACTERS = 80
"""An error shows at most this much of a wrong value. Chosen: enough to recognise it, and the error stays one line."""
MOST_DIGITS = 30
"""Most characters of a number. Chosen: Python refuses to convert a text of thousands of digits."""
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
    web_cert: str = setting(
        "", "PEM file of the certificate with which the live page is at https://; empty: http://, not encrypted"
    )
    web_key: str = setting("", "PEM file of that certificate's private key; empty: it is in the same file")
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
    min_confidence: float = setting(
        0.5,
        "a mark is read only if its confidence is at least this: the probability that it is a digit, and this one",
        ge=0,
        le=1,
    )
    vision: VisionSettings = field(default_factory=VisionSettings, metadata={"description": "how a frame is cleaned"})
    track: TrackSettings = field(
        default_factory=TrackSettings, metadata={"description": "when a change becomes an event"}
    )
    store: StoreSettings = field(
        default_factory=StoreSettings, metadata={"description": "how many past events are kept"}
    )


class SettingInfo(NamedTuple):
    """One setting: its name, type, default, description and limits."""

    name: str
    """Dotted, as in a flag: ``vision.median``."""
    type: Any
    default: Any
    description: str
    limits: tuple[Any, Any]
    """Least and greatest value; None where there is none."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that it accepts; empty if it accepts any value of its type."""
        return tuple(choice for choice in get_args(self.type) if isinstance(choice, str))

    @property
    def environment(self) -> str:
        """The name of its environment variable."""
        return _variable(self.name)


@cache
def all_settings() -> tuple[SettingInfo, ...]:
    """All settings, in the order of the TOML file."""
    return tuple(_declared_settings())


def _declared_settings() -> Iterator[SettingInfo]:
    for prefix, section in (("", Settings), *((f"{name}.", kind) for name, kind in SECTIONS.items())):
        hints = get_type_hints(section)
        for part in dataclasses.fields(section):
            if part.name not in SECTIONS:
                limits = (part.metadata.get("ge"), part.metadata.get("le"))
                description = part.metadata["description"]
                yield SettingInfo(prefix + part.name, hints[part.name], part.default, description, limits)


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace(".", "__")


def load_settings(config: str | Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Settings from ``flags`` (dotted names), the environment, the TOML file and the defaults, in this order.

    Raises SettingsError: one line that names the file, flag or variable, the setting, and what it accepts.
    """
    flags = flags or {}
    file = _toml(Path(config)) if config else {}
    _refuse_misspelt_variables()

    # The fast path: importing pydantic takes longer than importing everything else, so it is used only if necessary.
    if plain := _plain_settings(file, flags):
        return plain

    def origin(name: str) -> str:
        if name in flags:
            return f"--{name}"
        in_file = config and name.partition(".")[0] in file and _variable(name) not in os.environ
        return f"{config if in_file else 'environment'}: {name}"

    return _checked(_model(file), _nested(flags), origin)


def _plain_settings(file: Mapping[str, Any], flags: Mapping[str, Any]) -> Settings | None:
    """The fast path: the settings, if each value is obviously valid; None if pydantic has to convert or refuse one."""
    sections: dict[str, dict[str, Any]] = {"": {}, **{name: {} for name in SECTIONS}}
    if any(_variable(name) in os.environ or not isinstance(file.get(name, {}), Mapping) for name in SECTIONS):
        return None
    for info in all_settings():
        section, _, name = info.name.rpartition(".")
        in_file = file.get(section, {}) if section else file
        for given, key in ((flags, info.name), (os.environ, info.environment), (in_file, name)):
            if key in given:
                value = _plain_value(info, given[key])
                if value is None:
                    return None
                sections[section][name] = value
                break
    parts = {name: kind(**sections[name]) for name, kind in SECTIONS.items()}
    return Settings(**sections[""], **parts)


def _plain_value(info: SettingInfo, given: Any) -> Any:
    """The value in the setting's type, if it is obviously valid and within the limits; otherwise None."""
    value: Any = None
    if info.type is str or info.choices:
        value = given if isinstance(given, str) and (not info.choices or given in info.choices) else None
    elif info.type is bool:
        value = given if isinstance(given, bool) else {"true": True, "false": False}.get(str(given))
    elif info.type in (int, float):
        points = 1 if info.type is float else 0
        is_numeral = isinstance(given, str) and given.isascii() and given.replace(".", "", points).isdigit()
        is_numeral = is_numeral and len(given) <= MOST_DIGITS
        if is_numeral or type(given) in (int, info.type):
            value = info.type(given)
    elif isinstance(given, str):
        value = tuple(given.split())
    elif isinstance(given, list | tuple) and all(isinstance(part, str) for part in given):
        value = tuple(given)
    least, most = info.limits
    within = value is not None and (least is None or least <= value) and (most is None or value <= most)
    return value if within else None


def _model(file: Mapping[str, Any]) -> type[BaseSettings]:
    """``Settings`` as a pydantic-settings model, which checks types and limits, and reads environment and file too."""
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
    fields: dict[str, Any] = {}
    for part in dataclasses.fields(Settings):
        kind, limits = hints[part.name], {key: part.metadata[key] for key in ("ge", "le") if key in part.metadata}
        if get_origin(kind) is tuple:
            # A string of one or several words means the same as a list of them.
            kind = Annotated[kind, NoDecode, BeforeValidator(lambda v: tuple(v.split()) if isinstance(v, str) else v)]
        has_factory = part.default_factory is not dataclasses.MISSING
        default = {"default_factory": part.default_factory} if has_factory else {"default": part.default}
        fields[part.name] = (kind, Field(**default, **limits))
    return create_model("Settings", __base__=Sourced, **fields)


def _checked(model: type[BaseSettings], values: Mapping[str, Any], origin: Callable[[str], str]) -> Settings:
    """Settings of these nested values, checked by the model. Raises SettingsError, one line.

    ``origin`` gives for the name of a setting the words with which an error begins.
    """
    from pydantic import ValidationError

    try:
        return Settings(**dict(model(**values)))
    except ValidationError as error:
        raise SettingsError(_error_line(error, origin)) from error
    except ValueError as error:  # pydantic-settings: a variable such as EDGE_VISION that is not JSON
        raise SettingsError(f"environment: {error}") from error


def _error_line(error: ValidationError, origin: Callable[[str], str]) -> str:
    first = error.errors(include_url=False)[0]
    location = ".".join(str(part) for part in first["loc"])
    info = next((one for one in all_settings() if f"{location}.".startswith(f"{one.name}.")), None)
    # A URI in the wrong place may contain a password.
    given = "what is given" if "://" in repr(first["input"]) else repr(first["input"])[:SHOWN_CHARACTERS]
    return f"{origin(info.name if info else location)}: {given}: {first['msg'].lower()}{_accepted(info)}"


def _accepted(info: SettingInfo | None) -> str:
    if info and info.choices:
        return f"; one of {', '.join(info.choices)}"
    return f"; {info.limits[0]} to {info.limits[1]}" if info and info.limits != (None, None) else ""


def checked_vision(values: Mapping[str, Any]) -> VisionSettings:
    """``[vision]`` of unchecked values; the others have their defaults. Raises SettingsError, one line.

    Without pydantic, which would take a second to import on a Pi: the live page asks this while frames are read.
    """
    known = {info.name.removeprefix("vision."): info for info in all_settings() if info.name.startswith("vision.")}
    checked: dict[str, Any] = {}
    for name, given in values.items():
        if name not in known:
            raise SettingsError(f"vision.{str(name)[:40]}: no such setting{did_you_mean(str(name), known)}")
        # JSON does not tell 3.0 from 3.
        plain = int(given) if isinstance(given, float) and given.is_integer() else given
        checked[name] = _plain_value(known[name], plain)
        if checked[name] is None:
            accepted = _accepted(known[name]) or "; true or false"
            raise SettingsError(f"vision.{name}: {repr(given)[:SHOWN_CHARACTERS]}: is not accepted{accepted}")
    return VisionSettings(**checked)


def pinned_vision(flags: Mapping[str, Any]) -> frozenset[str]:
    """The fields of ``[vision]`` that a flag (dotted names) or the environment sets."""
    whole_section = _variable("vision") in os.environ
    return frozenset(
        info.name.removeprefix("vision.")
        for info in all_settings()
        if info.name.startswith("vision.") and (whole_section or info.name in flags or info.environment in os.environ)
    )


def markdown() -> str:
    """The table of all settings in ``docs/``."""
    lines = ["| setting | default | what it is |", "|---|---|---|"]
    for info in all_settings():
        default = " ".join(info.default) if isinstance(info.default, tuple) else str(info.default)
        default = default.lower() if isinstance(info.default, bool) else default
        limits = "" if info.limits == (None, None) else f" ({info.limits[0]} to {info.limits[1]})"
        lines.append(f"| `{info.name}` | {f'`{default}`' if default else ''} | {info.description}{limits} |")
    return "\n".join(lines)


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: is not valid TOML ({error})") from error
    known = [info.name for info in all_settings()]
    for name in _dotted(tables):
        if name not in known and name not in SECTIONS:
            raise SettingsError(f"{path}: {name}: no such setting{did_you_mean(name, known)}")
    return tables


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


def _refuse_misspelt_variables() -> None:
    """EDGE_VISION__MEDAIN is an error; EDGE_SOMETHING_ELSE may belong to another program."""
    known = [info.environment for info in all_settings()]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=1, cutoff=0.85)
            if close or "__" in name:
                raise SettingsError(f"environment: {name}: no such setting{did_you_mean(name, known)}")

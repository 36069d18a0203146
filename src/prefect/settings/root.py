"""`Settings`: all settings as they apply."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from prefect.exceptions import ConfigurationError
from prefect.settings.constants import DEFAULT_PREFECT_HOME
from prefect.settings.gathering import RESTORED, Given, convert, gather_sources
from prefect.settings.index import OPTIONS, SECTIONS, path_of, register
from prefect.settings.options import Section, derived, option, section
from prefect.settings.secret import MASK
from prefect.settings.server_table import ServerSettings
from prefect.settings.sources import flatten
from prefect.settings.table import (
    APISettings,
    ClientSettings,
    CLISettings,
    CloudSettings,
    DeploymentsSettings,
    ExperimentsSettings,
    FlowsSettings,
    InternalSettings,
    LoggingSettings,
    PluginsSettings,
    ResultsSettings,
    RunnerSettings,
    TasksSettings,
    TestingSettings,
    WorkerSettings,
)
from prefect.settings.values import write

__all__ = ["Settings"]


class Settings(Section):
    """All settings as they apply: environment, then `.env`, project files, the active profile, and defaults.

    Args:
        overrides: Values that go before all sources, by name: a section takes a dict, as in
            `Settings(api={"url": "http://127.0.0.1:4200/api"})`.

    Raises:
        ConfigurationError: A value does not fit; the text names the variable, the value and what is expected.
    """

    home: Path = option(
        DEFAULT_PREFECT_HOME, "The directory that holds everything kept: database, profiles, results."
    )
    profiles_path: Path = derived(lambda settings: settings.home / "profiles.toml", "The file of profiles.")
    debug_mode: bool = option(False, "Log at DEBUG unless a level is set, and show whole tracebacks.")
    api: APISettings = section(APISettings)
    cli: CLISettings = section(CLISettings)
    client: ClientSettings = section(ClientSettings)
    cloud: CloudSettings = section(CloudSettings)
    deployments: DeploymentsSettings = section(DeploymentsSettings)
    experiments: ExperimentsSettings = section(ExperimentsSettings)
    flows: FlowsSettings = section(FlowsSettings)
    internal: InternalSettings = section(InternalSettings)
    logging: LoggingSettings = section(LoggingSettings)
    plugins: PluginsSettings = section(PluginsSettings)
    results: ResultsSettings = section(ResultsSettings)
    runner: RunnerSettings = section(RunnerSettings)
    server: ServerSettings = section(ServerSettings)
    tasks: TasksSettings = section(TasksSettings)
    testing: TestingSettings = section(TestingSettings)
    worker: WorkerSettings = section(WorkerSettings)
    ui_url: str | None = derived(
        lambda settings: _ui_url(settings), "The address of the pages, for links. Follows from the API's URL."
    )
    silence_api_url_misconfiguration: bool = option(False, "Kept for code that sets it.")

    _overrides: dict[str, Any]
    _given: dict[str, Given]
    _profile_name: str
    _chosen_profile: tuple[str, dict[str, Any]] | None
    _profile_first: bool
    unknown: tuple[str, ...]

    def __init__(self, **overrides: Any) -> None:
        self._fill(dict(flatten(_undressed(overrides), SECTIONS)), profile=None)

    @classmethod
    def gather(
        cls,
        overrides: Mapping[str, Any] | None = None,
        *,
        profile: tuple[str, dict[str, Any]] | None = None,
        profile_first: bool = False,
    ) -> Settings:
        """Read all sources.

        Args:
            overrides: Values that go before all sources, by dotted path.
            profile: Name and raw values of the profile to use; by default the active one is looked up.
            profile_first: Let the profile go before the environment.
        """
        made = cls.__new__(cls)
        made._fill(dict(overrides or {}), profile, profile_first=profile_first)
        return made

    def _fill(
        self,
        overrides: dict[str, Any],
        profile: tuple[str, dict[str, Any]] | None,
        *,
        profile_first: bool = False,
    ) -> None:
        unknown_paths = [path for path in overrides if path not in OPTIONS]
        if unknown_paths:
            raise ConfigurationError(f"There is no setting {', '.join(sorted(unknown_paths))}.")
        given = {path: Given(value, "override", OPTIONS[path].name) for path, value in overrides.items()}
        name, unknown = gather_sources(given, profile, profile_first=profile_first)
        values = convert(given)
        fields = vars(self)
        fields.update(
            _overrides=overrides,
            _given=given,
            _profile_name=name,
            _chosen_profile=profile,
            unknown=unknown,
            _profile_first=profile_first,
        )
        _build(self, values)
        fields["home"] = self.home.expanduser()
        _derive(self, values)

    @property
    def profile_name(self) -> str:
        """The name of the profile that was read."""
        return self._profile_name

    @property
    def model_fields_set(self) -> set[str]:
        """The names of what some source gives; a section counts when any of its values is given."""
        return {path.split(".")[0] for path in self._given}

    @property
    def overrides(self) -> dict[str, Any]:
        """What goes before all sources, by dotted path: a copy."""
        return dict(self._overrides)

    def source_of(self, path: str) -> str:
        """Return where a value comes from: `env`, `.env`, `prefect.toml`, `profile`, `override`, `default`.

        Args:
            path: The dotted path of the setting.
        """
        found = self._given.get(path)
        return found.source if found else "default"

    def value_at(self, path: str) -> Any:
        """Return a value by its dotted path."""
        found: Any = self
        for name in path.split("."):
            found = getattr(found, name)
        return found

    def copy_with_update(
        self,
        updates: Mapping[Any, Any] | None = None,
        set_defaults: Mapping[Any, Any] | None = None,
        restore_defaults: Collection[Any] | None = None,
    ) -> Settings:
        """Return new settings, with the sources read again and some values changed.

        Args:
            updates: Values by setting (or its name), which go before everything.
            set_defaults: Values by setting for those that nothing gives a value.
            restore_defaults: Settings to put back to their defaults.
        """
        changed = dict(self._overrides)
        for key in restore_defaults or ():
            changed[path_of(key)] = RESTORED
        for key, value in (updates or {}).items():
            changed[path_of(key)] = value
        if set_defaults:
            as_is = self._regathered(changed)
            for key, value in set_defaults.items():
                path = path_of(key)
                if path not in as_is._given:
                    changed[path] = value
        return self._regathered(changed)

    def _regathered(self, overrides: dict[str, Any]) -> Settings:
        return type(self).gather(overrides, profile=self._chosen_profile, profile_first=self._profile_first)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Settings:
        """Return a copy with some values changed.

        Args:
            update: New values; a section takes a dict or a section.
            deep: Accepted, and of no effect: settings do not change.
        """
        return self._regathered({**self._overrides, **dict(flatten(_undressed(update or {}), SECTIONS))})

    @classmethod
    def model_validate(cls, obj: Any, **_options: Any) -> Settings:
        """Make settings from nested values, such as `model_dump` gives."""
        return obj if isinstance(obj, cls) else cls(**obj)

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,
        context: Mapping[str, Any] | None = None,
        **_options: Any,
    ) -> dict[str, Any]:
        """Return the values as a dict of dicts; options are those of sections, and `exclude_unset`.

        Args:
            mode: `python` keeps paths, durations and secrets as objects; `json` writes them plainly.
            include: Only these names.
            exclude: Not these names.
            exclude_none: Leave out what is None.
            exclude_unset: Leave out what no source gives.
            context: `{"include_secrets": True}` shows secrets.
        """
        dumped = super().model_dump(
            mode=mode, include=include, exclude=exclude, exclude_none=exclude_none, context=context
        )
        return _prune(dumped, self._given, "") if exclude_unset else dumped

    def to_environment_variables(
        self, exclude_unset: bool = False, include_secrets: bool = True, include_aliases: bool = False
    ) -> dict[str, str]:
        """Return environment variables that give a child process these settings.

        Args:
            exclude_unset: Leave out what no source gives.
            include_secrets: Give secrets in the clear; otherwise masked.
            include_aliases: Give the further names too.
        """
        variables: dict[str, str] = {}
        for path, row in OPTIONS.items():
            value = self.value_at(path)
            if value is None or (exclude_unset and path not in self._given):
                continue
            text = write(value) if include_secrets or not row.is_secret else MASK
            variables.update(dict.fromkeys(row.names if include_aliases else (row.name,), text))
        return variables

    def hash_key(self) -> str:
        """Return a text that is equal for equal settings, in this process."""
        return str(hash(frozenset(self.to_environment_variables().items())))


def _build(made: Section, values: Mapping[str, Any]) -> None:
    """Put values and plain defaults into a section and those below it."""
    fields = vars(made)
    for name, row in made.options.items():
        default = row.default.copy() if type(row.default) in (dict, list, set) else row.default
        fields[name] = values.get(row.path, default)
    for name, below in made.sections.items():
        part: Section = below.__new__(below)
        _build(part, values)
        fields[name] = part


def _derive(settings: Settings, values: Mapping[str, Any]) -> None:
    """Work out the defaults that follow from other settings."""
    for row in _DERIVED:
        if row.path not in values and row.derive:
            *parents, name = row.path.split(".")
            vars(settings.value_at(".".join(parents)) if parents else settings)[name] = row.derive(settings)


register(Settings)
# Those of sections come first, because those at the top follow from them.
_DERIVED = sorted((row for row in OPTIONS.values() if row.derive), key=lambda row: -row.path.count("."))


def _ui_url(settings: Settings) -> str | None:
    url = settings.api.url
    if not url:
        return None
    if settings.cloud.ui_url and url.startswith(settings.cloud.api_url):
        return settings.cloud.ui_url
    return url.removesuffix("/").removesuffix("/api")


def _undressed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values with sections as dicts."""
    return {
        name: value.model_dump() if isinstance(value, Section) else value for name, value in values.items()
    }


def _prune(dumped: dict[str, Any], given: Mapping[str, Given], prefix: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in dumped.items():
        path = f"{prefix}{name}"
        if path in SECTIONS:
            below = _prune(value, given, f"{path}.")
            if below:
                kept[name] = below
        elif path in given:
            kept[name] = value
    return kept

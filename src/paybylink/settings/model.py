"""
The model: what can be set, and what `PayByLink` is made of.
"""

from __future__ import annotations

import datetime as dt
import inspect
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from paybylink.errors import Fault, InvalidInput, SettingsError
from paybylink.journeys import has_login

from .adapters import GROUPS, PREFIX, Tree, adapter, fitted

if TYPE_CHECKING:
    from paybylink.accounting.accounts import Accounts
    from paybylink.channels.wording import Wording

log = logging.getLogger("paybylink.settings")

#: Where links are remembered when nobody says.
DEFAULT_STORE = "sqlite:///paybylink.db"
#: The zone of dates when nobody says; that of `Accounts` and `Wording`.
DEFAULT_ZONE = "Europe/Paris"
#: How the settings call what `Wording` names in its faults.
_WORDING_PATHS = {
    "wording.merchant": "merchant.name",
    "wording.contact": "merchant.contact",
    "wording.zone": "merchant.zone",
    "wording.language": "language",
    "wording.overrides": "merchant.overrides",
}
_SECRET = re.compile(r"key|secret|password|token|credential")
_said: set[str] = set()


class AdapterSettings(BaseModel):
    """
    One provider or channel.

    Attributes:
        type: the name of its entry point: ``stripe``, ``smtp``, ….
        options: everything else that was written beside it, as its class takes it.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    type: str
    options: Tree = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: object) -> object:
        if not isinstance(given, Mapping) or not given.keys() - {"type", "options"}:
            return given
        options = {name: _hidden(name, value) for name, value in given.items() if name != "type"}
        return {"options": options} | ({"type": given["type"]} if "type" in given else {})


class MerchantSettings(BaseModel):
    """
    Who asks for the money.

    Attributes:
        name: as messages and pages show it; empty when not told.
        contact: where a customer may ask, e.g. an address or a phone number.
        zone: the time zone of dates in messages and books, such as ``Europe/Paris``.
        overrides: a folder with wording of one's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = ""
    contact: str = ""
    zone: str | None = None
    overrides: Path | None = None

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, given: str | None) -> str | None:
        if given is not None:
            from zoneinfo import ZoneInfo

            try:
                _ = ZoneInfo(given)
            except (LookupError, ValueError, OSError):
                raise ValueError("write a name such as Europe/Paris") from None
        return given

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: object) -> object:
        return {"name": given} if isinstance(given, str) else given


class Settings(BaseSettings):
    """
    Everything that can be set; made by `load`.

    Attributes:
        providers: accounts at payment service providers; the first is the default.
        channels: ways to send.
        store: where links are remembered; None in the settings means `DEFAULT_STORE`, the word ``none`` nothing.
        public_url: where our own link pages are served.
        language: of messages to customers without one.
        tenant: whose links these are.
        default_expiry_days: how long a link lives when nobody says.
        merchant: who asks for the money.
        accounts: fields of `Accounts`; ``chart = "free"`` begins from the chart in words.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    providers: Annotated[tuple[AdapterSettings, ...], NoDecode] = ()
    channels: Annotated[tuple[AdapterSettings, ...], NoDecode] = ()
    store: SecretStr | None = None
    public_url: str | None = None
    language: str = "en"
    tenant: str = ""
    default_expiry_days: int = Field(default=30, ge=1, le=3650)
    merchant: Annotated[MerchantSettings, NoDecode] = MerchantSettings()
    accounts: Annotated[Tree, NoDecode] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` has put together: a variable may change one entry of a list in the file."""
        return (init_settings,)

    @field_validator("public_url")
    @classmethod
    def _without_login(cls, given: str | None) -> str | None:
        if given is not None and has_login(given):
            raise ValueError("write it without a user name and password, since customers see this address")
        return given

    @property
    def store_url(self) -> str | None:
        """Where links are remembered; None is nowhere. May hold a password."""
        if self.store is None:
            if "store" not in _said:
                _said.add("store")
                log.warning(
                    "no store is set, so links are remembered in paybylink.db in the working folder; "
                    "set PAYBYLINK_STORE to choose another place, or to none for no memory"
                )
            return DEFAULT_STORE
        given = self.store.get_secret_value()
        return None if given.lower() == "none" else given

    def parts(self) -> dict[str, Any]:
        """
        The keyword arguments for `PayByLink` or `AsyncPayByLink`.

        Raises:
            SettingsError: an adapter is not known, or refuses its settings; every fault is named.
            MissingExtra: an adapter needs a package that is not installed.
        """
        faults: list[Fault] = []
        if not self.providers:
            faults.append(
                Fault(
                    "providers",
                    "is empty",
                    "set PAYBYLINK_STRIPE_API_KEY, or write [[providers]] in paybylink.toml",
                )
            )
        parts: dict[str, Any] = {}
        for section in GROUPS:
            made = []
            for place, given in enumerate(getattr(self, section)):
                with _under(f"{section}[{place}]", faults):
                    made.append(self._made(section, given))
            parts[section] = made
        with _under("accounts", faults):
            parts["accounts"] = self.books()
        if faults:
            raise SettingsError(faults)
        return parts | {
            "store": self.store_url,
            "public_url": self.public_url,
            "language": self.language,
            "wording": self.wording() if self.merchant.name else None,
            "default_expiry": dt.timedelta(days=self.default_expiry_days),
            "tenant": self.tenant,
        }

    def books(self) -> Accounts | None:
        """
        How money is booked; None where nothing is set.

        Raises:
            InvalidInput: an account cannot be used.
        """
        options = dict(self.accounts)
        if self.merchant.zone is not None:
            options = {"zone": self.merchant.zone} | options
        if not options:
            return None
        from attrs import evolve

        from paybylink.accounting.accounts import NEUTRAL, PCG

        options = fitted(options, type(PCG), "accounts")
        return evolve(NEUTRAL if options.get("chart") == "free" else PCG, **options)

    def wording(self) -> Wording:
        """
        What is the merchant's own in every message.

        Raises:
            SettingsError: the language has no words here, or the folder of one's own is wrong.
        """
        from paybylink.channels.wording import Wording

        try:
            return Wording(
                merchant=self.merchant.name,
                contact=self.merchant.contact,
                zone=self.merchant.zone or DEFAULT_ZONE,
                language=self.language,
                overrides=self.merchant.overrides,
            )
        except SettingsError as error:
            raise SettingsError(
                Fault(_WORDING_PATHS.get(fault.path, fault.path), fault.fault, fault.remedy)
                for fault in error.faults
            ) from None

    def _made(self, section: str, given: AdapterSettings) -> object:
        factory = adapter(GROUPS[section], given.type)
        options = {name: _revealed(value) for name, value in given.options.items()}
        options = fitted(options, factory, section, given.type)
        takes = inspect.signature(factory).parameters
        if "wording" in takes and "wording" not in options:
            options["wording"] = self.wording()
        return factory(**options)


@contextmanager
def _under(prefix: str, faults: list[Fault]) -> Iterator[None]:
    """Keep what the block finds wrong, with `prefix` before each path."""
    try:
        yield
    except (SettingsError, InvalidInput) as error:
        for fault in error.faults:
            told = fault if fault.path in _WORDING_PATHS.values() else fault.under(prefix)
            if told not in faults:
                faults.append(told)


def _hidden(name: str, value: object) -> object:
    """A value that no repr and no dump shows, if its name says that it is a secret."""
    if not _SECRET.search(name):
        return value
    if isinstance(value, str):
        return SecretStr(value)
    return [_hidden(name, one) for one in value] if isinstance(value, Iterable) else value


def _revealed(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return [_revealed(one) for one in value] if isinstance(value, list) else value

"""`Block`, the base of typed values that are kept under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PrivateAttr, SerializerFunctionWrapHandler, ValidationError
from pydantic import model_serializer as serializes
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from prefect.blocks import documents
from prefect.blocks.description import describe, example_of, slug_of, text_of
from prefect.blocks.values import SLUG, resolve, values_of
from prefect.client.awaiting import awaited, either_way
from prefect.rules.blocks import checksum_of
from prefect.schemas.blocks import NOT_VERSIONED, BlockDocument

__all__ = ["Block", "BlockNotSavedError", "InvalidBlockRegistration"]


class InvalidBlockRegistration(Exception):
    """Only subclasses of `Block` can be registered."""


class BlockNotSavedError(RuntimeError):
    """What is asked for needs a block that was saved."""


_classes: dict[str, type[Block]] = {}


class Block(BaseModel):
    """Values of a type that are kept under a name; the fields are those of a pydantic model.

    In asynchronous code, `save`, `load`, `delete` and `register_type_and_schema` are awaited; those with an
    `a` before always are.
    """

    model_config = ConfigDict(extra="allow")

    _block_type_name: ClassVar[str | None] = None
    """What people call the type; by default the class's name."""
    _block_type_slug: ClassVar[str | None] = None
    """What addresses call it; by default the name in lower case."""
    _block_schema_version: ClassVar[str | None] = None
    _block_schema_capabilities: ClassVar[list[str] | None] = None
    """What such blocks can do, such as `read-path`."""
    _logo_url: ClassVar[Any] = None
    _documentation_url: ClassVar[Any] = None
    _description: ClassVar[str | None] = None
    _code_example: ClassVar[str | None] = None
    _block_type_id: ClassVar[UUID | None] = None
    _block_schema_id: ClassVar[UUID | None] = None

    _block_document_id: UUID | None = PrivateAttr(None)
    _block_document_name: str | None = PrivateAttr(None)
    _is_anonymous: bool | None = PrivateAttr(None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.block_initialization()

    def block_initialization(self) -> None:
        """Do what a new block needs; for subclasses."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        _classes[cls.get_block_type_slug()] = cls

    def __str__(self) -> str:
        return repr(self)

    @serializes(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> Any:
        return cast(dict[str, Any], handler(self)) | {SLUG: self.get_block_type_slug()}

    # --- what the class says of itself --------------------------------------------------------------------

    @classmethod
    def get_block_type_name(cls) -> str:
        """Return what people call the type."""
        return cls._block_type_name or cls.__name__

    @classmethod
    def get_block_type_slug(cls) -> str:
        """Return what addresses call the type."""
        return cls._block_type_slug or slug_of(cls.get_block_type_name())

    @classmethod
    def get_block_schema_version(cls) -> str:
        """Return the version of the fields."""
        return cls._block_schema_version or NOT_VERSIONED

    @classmethod
    def get_block_capabilities(cls) -> frozenset[str]:
        """Return what such blocks can do, with what the classes that it derives from can."""
        found = (getattr(base, "_block_schema_capabilities", None) or [] for base in cls.__mro__)
        return frozenset(each for several in found for each in several)

    @classmethod
    def get_description(cls) -> str | None:
        """Return what the class says of itself."""
        return text_of(cls)

    @classmethod
    def get_code_example(cls) -> str | None:
        """Return how to use such blocks, as Markdown."""
        return example_of(cls)

    @classmethod
    def model_json_schema(
        cls,
        by_alias: bool | None = None,
        ref_template: str = "#/definitions/{model}",
        schema_generator: type[GenerateJsonSchema] = GenerateJsonSchema,
        mode: JsonSchemaMode = "validation",
        **options: Any,
    ) -> dict[str, Any]:
        """Return the JSON schema as servers keep it: with secret fields, and blocks within by reference."""
        # Older releases of pydantic know no None here; by alias is what it means.
        plain = super().model_json_schema(
            by_alias is not False, ref_template, schema_generator, mode, **options
        )
        return describe(cls, plain)

    @classmethod
    def _calculate_schema_checksum(cls, block_schema_fields: dict[str, Any] | None = None) -> str:
        return checksum_of(cls.model_json_schema() if block_schema_fields is None else block_schema_fields)

    @classmethod
    def get_block_class_from_key(cls, key: str) -> type[Self]:
        """Return the class of a slug.

        Raises:
            ValueError: No class of that slug was imported.
        """
        found = _classes.get(key)
        if found is None:
            raise ValueError(
                f"There is no class of blocks with slug {key!r} here. Import the module with it."
            )
        return cast(type[Self], found)

    @staticmethod
    def is_block_class(block: Any) -> bool:
        """Whether something is a class of blocks."""
        return isinstance(block, type) and issubclass(block, Block)

    # --- keeping and finding --------------------------------------------------------------------------------

    @classmethod
    def register_type_and_schema(cls, client: Any = None) -> None:
        """Make the type and its fields known; `save` does so by itself.

        Args:
            client: Accepted, and not needed.

        Raises:
            InvalidBlockRegistration: This is `Block` itself.
        """
        return either_way(cls._register)()

    @classmethod
    async def aregister_type_and_schema(cls, client: Any = None) -> None:
        """Make the type and its fields known; see `register_type_and_schema`."""
        await awaited(cls._register)()

    def save(
        self,
        name: str | None = None,
        overwrite: bool = False,
        client: Any = None,
        *,
        is_anonymous: bool = False,
    ) -> UUID:
        """Keep the values.

        Args:
            name: Lower-case letters, digits and dashes; None: the name that it has.
            overwrite: Whether to replace values that are kept under the name.
            client: Accepted, and not needed.
            is_anonymous: Whether to do without a name.

        Returns:
            The document's id. In asynchronous code, a coroutine of it.

        Raises:
            ValueError: There is no name, or it is taken.
        """
        return either_way(self._save)(name, overwrite, is_anonymous)

    async def asave(
        self,
        name: str | None = None,
        overwrite: bool = False,
        client: Any = None,
        *,
        is_anonymous: bool = False,
    ) -> UUID:
        """Keep the values; see `save`."""
        return await awaited(self._save)(name, overwrite, is_anonymous)

    @classmethod
    def load(cls, name: str, validate: bool = True, client: Any = None) -> Self:
        """Return the block of a name.

        Args:
            name: The name. `Block.load` needs the type's slug too: `slug/name`.
            validate: Whether the values must fit the fields that the class has now.
            client: Accepted, and not needed.

        Returns:
            The block. In asynchronous code, a coroutine of it.

        Raises:
            ValueError: There is none.
            RuntimeError: Its values do not fit.
        """
        return either_way(cls._load)(name, validate)

    @classmethod
    async def aload(cls, name: str, validate: bool = True, client: Any = None) -> Self:
        """Return the block of a name; see `load`."""
        return await awaited(cls._load)(name, validate)

    @classmethod
    def load_from_ref(
        cls, ref: str | UUID | Mapping[str, Any], validate: bool = True, client: Any = None
    ) -> Self:
        """Return the block that a reference names.

        Args:
            ref: The document's id, or a mapping with `block_document_id` or `block_document_slug`.
            validate: Whether the values must fit the fields that the class has now.
            client: Accepted, and not needed.

        Returns:
            The block. In asynchronous code, a coroutine of it.

        Raises:
            ValueError: There is none.
            RuntimeError: Its values do not fit.
        """
        return either_way(cls._load_from_ref)(ref, validate)

    @classmethod
    async def aload_from_ref(
        cls, ref: str | UUID | Mapping[str, Any], validate: bool = True, client: Any = None
    ) -> Self:
        """Return the block that a reference names; see `load_from_ref`."""
        return await awaited(cls._load_from_ref)(ref, validate)

    @classmethod
    def delete(cls, name: str, client: Any = None) -> None:
        """Delete the block of a name.

        Args:
            name: The name. `Block.delete` needs the type's slug too: `slug/name`.
            client: Accepted, and not needed.

        Raises:
            ValueError: There is none.
        """
        return either_way(documents.delete)(*cls._address(name))

    @classmethod
    async def adelete(cls, name: str, client: Any = None) -> None:
        """Delete the block of a name; see `delete`."""
        await awaited(documents.delete)(*cls._address(name))

    # --- how ------------------------------------------------------------------------------------------------

    @classmethod
    def _register(cls) -> None:
        if cls is Block:
            raise InvalidBlockRegistration("Only a subclass of Block can be registered, not Block itself.")
        documents.register(cls)

    def _save(self, name: str | None, overwrite: bool, is_anonymous: bool) -> UUID:
        chosen = None if is_anonymous else name or self._block_document_name
        if chosen is None and not is_anonymous:
            raise ValueError("A block is saved under a name: save('my-block'), or save(is_anonymous=True).")
        kept = documents.keep(self, values_of(self), chosen, overwrite=overwrite)
        self._note(kept)
        return kept.id

    @classmethod
    def _load(cls, name: str, validate: bool) -> Self:
        return cls._from_document(documents.find(*cls._address(name)), validate)

    @classmethod
    def _load_from_ref(cls, ref: str | UUID | Mapping[str, Any], validate: bool) -> Self:
        if not isinstance(ref, Mapping):
            return cls._from_document(documents.find_by_id(UUID(str(ref))), validate)
        if document_id := ref.get("block_document_id"):
            return cls._from_document(documents.find_by_id(UUID(str(document_id))), validate)
        slug, _, name = str(ref.get("block_document_slug", "")).partition("/")
        if not name:
            raise ValueError(
                f"{dict(ref)!r} names no block: it needs `block_document_id` or `block_document_slug`."
            )
        return cls._from_document(documents.find(slug, name), validate)

    @classmethod
    def _address(cls, name: str) -> tuple[str, str]:
        """Return the slug of the type, and the name."""
        if cls is not Block:
            return cls.get_block_type_slug(), name
        slug, _, own = name.partition("/")
        if not own:
            raise ValueError(f"Block.load needs the type too, as in 'secret/{name}'; or load by a subclass.")
        return slug, own

    @classmethod
    def _from_document(cls, document: BlockDocument, validate: bool = True) -> Self:
        slug = document.block_type.slug if document.block_type else cls.get_block_type_slug()
        # A class of the same slug may have been defined anew; who loads by a class wants that one.
        kind = (
            cls
            if cls is not Block and cls.get_block_type_slug() == slug
            else cls.get_block_class_from_key(slug)
        )
        values = resolve(document.data, document.block_document_references, _classes.get)
        try:
            block = kind(**values)
        except ValidationError as error:
            if validate:
                raise RuntimeError(
                    f"Unable to load {document.name!r} of block type {slug!r} due to failed validation. To "
                    "load without validation, try loading again with `validate=False`."
                ) from error
            missing = {name: None for name, field in kind.model_fields.items() if field.is_required()}
            block = kind.model_construct(**(missing | values))
        block._note(document)
        return block

    def _note(self, document: BlockDocument) -> None:
        self._block_document_id = document.id
        self._block_document_name = document.name
        self._is_anonymous = document.is_anonymous

"""The form of the catalogue as one JSON document, from which its JSON Schema is made.

Keys that are not known are passed over, so that a later Sinkhole may publish more; the number changes with what a key
that is known means.
"""

import datetime as dt
import json
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from sinkhole.catalogue.lookalikes import LookalikesFile
from sinkhole.catalogue.schema import BypassFile, CategoryEntry, ProductEntry, Slug, Text, VendorFile, Version
from sinkhole.policy.vendor import Product

FORMAT: Final = 1
"""Of the document; `{"sinkhole": FORMAT, …`, as `sinkhole.feeds.formats.catalogue` reads it."""
_SLUG: Final = "[a-z0-9]+(-[a-z0-9]+)*"
ProductId = Annotated[str, StringConstraints(pattern=rf"^{_SLUG}/{_SLUG}$")]


class PublishedProduct(ProductEntry):
    """A product; its id is whole, `vendor/product`."""

    model_config = ConfigDict(title="Product")

    slug: ProductId = Field(alias="id")


class PublishedVendor(VendorFile):
    """A vendor, with all that is known of it."""

    model_config = ConfigDict(title="Vendor")

    products: tuple[PublishedProduct, ...] = Field(min_length=1)

    def _product(self, entry: ProductEntry) -> Product:
        return replace(super()._product(entry), id=entry.slug)


class PublishedCatalogue(BaseModel):
    """The whole document."""

    model_config = ConfigDict(title="Catalogue of Sinkhole", frozen=True)

    sinkhole: Literal[1] = Field(description="Number of this format.")
    version: Version = Field(description="yyyymmddnn; grows with each publication.")
    published: dt.date = Field(description="Day of the publication, in UTC.")
    categories: dict[Slug, CategoryEntry] = Field(description="Meaning of each category, by its id.")
    never_block: tuple[Text, ...] = Field(description="Names that nothing may block, each alone.")
    vendors: tuple[PublishedVendor, ...] = Field(min_length=1)
    bypass: tuple[BypassFile, ...] = Field((), description="Ways round the resolver or round policy.")
    lookalikes: LookalikesFile | None = Field(None, description="Brands that names of others imitate.")


class _Open(GenerateJsonSchema):
    """Leaves room for keys of later versions, as reading does."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().model_schema(schema)
        found.pop("additionalProperties", None)
        return found


def json_schema() -> str:
    """Return the JSON Schema of the document (draft 2020-12), as the text of a file."""
    found = PublishedCatalogue.model_json_schema(schema_generator=_Open)
    return json.dumps({"$schema": _Open.schema_dialect, **found}, indent=2, ensure_ascii=False) + "\n"

"""The description of the API (OpenAPI 3.1), made from the routes and models that serve and validate."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sinkhole import __version__
from sinkhole.web.problem import CONTENT_TYPE, Problem
from sinkhole.web.route import Anyone, Kind, Route
from sinkhole.web.serve_api import Changed

PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"
_JSON = "application/json"
_TAG = {"schema": {"type": "string"}, "description": "Tag of what the answer is about."}


def description(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the description of these routes."""
    models = _Models(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, models)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sinkhole", "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Who on a network talks to which AI vendor, and what policy does about it.",
        },
        "servers": [{"url": "/"}],
        "security": [{"session": []}, {"token": []}],
        "tags": [{"name": area} for area in dict.fromkeys(route.area for route in routes)],
        "paths": paths,
        "components": {
            "schemas": models.schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "sinkhole",
                            "description": "Set by a log-in; over TLS its name is __Host-sinkhole."},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }  # fmt: skip


class _Models:
    """All models of the routes, each described once."""

    def __init__(self, routes: Iterable[Route]) -> None:
        wanted: list[tuple[type[BaseModel], str]] = [(Problem, "serialization")]
        for route in routes:
            if route.body is not None:
                wanted.append((route.body, "validation"))
            if (answer := answer_of(route)) is not None:
                wanted.append((answer, "serialization"))
        self._parameters: dict[type[BaseModel], dict[str, Any]] = {}
        self._refs, document = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)  # type: ignore[arg-type]
        self.schemas: dict[str, Any] = document.get("$defs", {})

    def ref(self, model: type[BaseModel], mode: str) -> dict[str, Any]:
        """Return the reference to a model."""
        return dict(self._refs[model, mode])  # type: ignore[index]

    def parameters(self, model: type[BaseModel] | None, where: str) -> list[dict[str, Any]]:
        """Return the fields of a model as parameters of a path or a query."""
        if model is None:
            return []
        schema = model.model_json_schema(ref_template=_REF)
        self.schemas.update(schema.get("$defs", {}))
        required = set(schema.get("required", ()))
        return [_parameter(name, where, field, name in required) for name, field in schema["properties"].items()]


def _parameter(name: str, where: str, field: dict[str, Any], required: bool) -> dict[str, Any]:
    told = {key: value for key, value in field.items() if key not in ("description", "title")}
    if told.get("default", 0) is None:
        del told["default"]
        kinds = [kind for kind in told.pop("anyOf", []) if kind != {"type": "null"}]
        told |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
    parameter = {"name": name, "in": where, "required": required, "schema": told}
    return parameter | ({"description": field["description"]} if "description" in field else {})


def answer_of(route: Route) -> type[BaseModel] | None:
    """Return the model of the answer of a route; None where it has no JSON."""
    if not isinstance(route.answer, type) or not issubclass(route.answer, BaseModel):
        return None
    return Changed[route.answer] if route.kind is Kind.CHANGE else route.answer  # type: ignore[name-defined]


def _operation(route: Route, models: _Models) -> dict[str, Any]:
    needs = [] if isinstance(route.right, Anyone) else [f"Takes the right to {route.right} {route.area}."]
    operation: dict[str, Any] = {
        "operationId": route.name, "summary": route.summary, "tags": [route.area],
        "description": "\n\n".join([route.description, *needs]),
        "parameters": [*models.parameters(route.place, "path"), *models.parameters(route.query, "query"),
                       *_conditions(route)],
        "responses": _responses(route, models),
    }  # fmt: skip
    if isinstance(route.right, Anyone):
        operation["security"] = []
    if route.body is not None:
        content = {_JSON: {"schema": models.ref(route.body, "validation")}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _conditions(route: Route) -> list[dict[str, Any]]:
    if route.method == "GET" and answer_of(route) is not None:
        return [_header("If-None-Match", "Answer with 304 if it still is what has this tag.")]
    if route.current is not None:
        return [
            _header("If-Match", "Change it only if it still is what has this tag."),
            _header("If-None-Match", "`*`: only if there is none yet."),
        ]
    return []


def _header(name: str, said: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": said}


def _responses(route: Route, models: _Models) -> dict[str, Any]:
    answer = answer_of(route)
    good: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.kind is Kind.LIVE:
        good["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    elif answer is not None:
        good["content"] = {_JSON: {"schema": models.ref(answer, "serialization")}}
        if route.kind is not Kind.OWN:
            good["headers"] = {"ETag": _TAG}
    found = {str(route.status): good}
    if route.method == "GET" and answer is not None and route.kind is Kind.READ:
        found["304"] = {"description": "It still is what has the tag."}
    problem = {CONTENT_TYPE: {"schema": models.ref(Problem, "serialization")}}
    for status in sorted(_problems(route)):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return found


def _problems(route: Route) -> set[int]:
    found = {400, 404, 405, 421, 500, 503}
    found |= set() if isinstance(route.right, Anyone) else {401, 403}
    found |= {403, 409, 422} if route.method != "GET" else {422}
    found |= {413, 415} if route.body is not None else set()
    found |= {412} if route.current is not None else set()
    return found | ({401, 429} if route.name in ("log_in", "change_password") else set())

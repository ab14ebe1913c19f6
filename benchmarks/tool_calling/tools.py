"""The tools that every prompt is offered, and the order they stand in."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

SEED = 20261126


def _tool(name: str, description: str, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Any:
    """Write a tool as OpenAI has it."""
    parameters = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


TOOLS: tuple[dict[str, Any], ...] = (
    _tool(
        "get_current_weather",
        "Get the current weather of a city: temperature, rain, wind.",
        {"city": _text("Name of the city, for example Oslo")},
        {
            "unit": {
                "type": "string",
                "enum": ["celsius", "fahrenheit"],
                "description": "Unit of the temperature; celsius if left out",
            }
        },
    ),
    _tool(
        "calculate",
        "Evaluate an arithmetic expression and return its exact value.",
        {"expression": _text("The expression, written with numbers, + - * / ** and parentheses")},
    ),
    _tool(
        "get_current_time",
        "Get the current date and local time in a time zone.",
        {"timezone": _text("IANA name of the time zone, such as Europe/Oslo, or the name of a city")},
    ),
    _tool(
        "search_knowledge_base",
        "Search the user's own documents (uploaded files, company handbook, policies, internal wiki) and return the "
        "passages that fit best.",
        {"query": _text("What to look for")},
        {"top_k": {"type": "integer", "minimum": 1, "maximum": 20, "description": "How many passages; 5 if left out"}},
    ),
    _tool(
        "send_email",
        "Send an email from the user's account to one recipient.",
        {
            "to": _text("Email address of the recipient"),
            "subject": _text("Subject line"),
            "body": _text("Text of the message"),
        },
    ),
    _tool(
        "convert_currency",
        "Convert an amount of money from one currency into another at today's exchange rate.",
        {
            "amount": {"type": "number", "exclusiveMinimum": 0, "description": "How much money to convert"},
            "from_currency": _text("Currency of the amount, preferably its ISO 4217 code, like SEK"),
            "to_currency": _text("Currency to convert into, preferably its ISO 4217 code"),
        },
    ),
    _tool(
        "create_reminder",
        "为用户新建一条提醒，到时间后通知用户。",
        {
            "text": _text("要提醒的事情"),
            "when": _text("提醒的时间，照用户自己的说法写，不必换算成日期"),
        },
    ),
    _tool(
        "get_stock_price",
        "Look up the latest price of one share of a listed company.",
        {"symbol": _text("Ticker symbol; the company's name also works if the symbol is not known")},
    ),
    _tool(
        "track_parcel",
        "按运单号查询包裹目前的物流状态。",
        {"tracking_number": _text("运单号")},
        {"carrier": {"type": "string", "description": "快递公司；不填则自动识别"}},
    ),
    _tool(
        "control_light",
        "Switch the light of a room on or off, or dim it.",
        {
            "room": _text("Which room"),
            "state": {"type": "string", "enum": ["on", "off"], "description": "A dimmed light is on"},
        },
        {
            "brightness": {
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
                "description": "Percent of full brightness, only for a light that is on",
            }
        },
    ),
)


def offered_for(prompt_id: str) -> list[dict[str, Any]]:
    """Give all tools in the order in which that prompt is offered them, the same in every run."""
    order = list(TOOLS)
    random.Random(f"{SEED}:{prompt_id}").shuffle(order)
    return order


def schema_of(name: str) -> dict[str, Any] | None:
    """Give the schema of a tool's arguments; None if there is no such tool."""
    return next((tool["function"]["parameters"] for tool in TOOLS if tool["function"]["name"] == name), None)

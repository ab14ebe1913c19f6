"""Tools by name: registered as Python functions, run as a model calls them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

from ..core.errors import BadRequest, ClientMisused
from ..core.messages import ToolCall, ToolResult
from ..core.request import ToolSpec
from ..core.sources import Source
from ..core.tools import Sourced, ToolFailure
from .arguments import BadArguments
from .errors import ToolError
from .json_text import NotJson, clean
from .result_text import result_text
from .schema import Signature, spec_of
from .threads import Threads, TooManyHang

__all__ = ["Registry", "ToolError"]

TIMEOUT = 30.0
"""Seconds that a tool may take, where nothing else is said."""
MOST_CHARACTERS = 20_000
"""Characters of a result that the model is given, where nothing else is said."""
LONGEST_SAID = 2_000
"""Characters of what is said of a call that failed."""
MOST_NAMED = 50
"""Tools that are named to a model that asked for one there is not."""

_log = logging.getLogger("ai_chat.tools")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    function: Callable[..., Any]
    signature: Signature
    is_async: bool
    side_effects: bool
    timeout: float


class _Failed(Exception):
    """There is no proper result."""

    def __init__(self, code: ToolFailure, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said


class Registry:
    """A set of tools, each a Python function: a `core.tools.Toolbox`.

    Async functions run on the caller's loop, sync ones in threads. It belongs to no loop and may be used from several.
    """

    def __init__(
        self,
        tools: Iterable[Callable[..., Any]] = (),
        *,
        timeout: float = TIMEOUT,
        most_characters: int = MOST_CHARACTERS,
    ) -> None:
        """Register functions.

        Args:
            tools: functions to begin with.
            timeout: seconds that a tool may take, if it has no limit of its own.
            most_characters: characters of a result that the model is given; a sentence says what was cut.

        Raises:
            ClientMisused: as `add` does; or a limit is not above zero.
        """
        if most_characters < 1:
            raise ClientMisused(f"most_characters is {most_characters}, and must be at least 1.")
        self._timeout = _checked(timeout)
        self._most_characters = most_characters
        self._tools: dict[str, _Tool] = {}
        self._threads = Threads()
        for function in tools:
            self.add(function)

    def add(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        side_effects: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Register a function.

        Args:
            function: sync or async, with type hints and a docstring; `schema.spec_of` says what is read from them.
            name: what to call it; None takes the function's name.
            description: what it does; None takes the docstring's first paragraph.
            side_effects: it changes something outside, so a person is asked before it runs.
            timeout: seconds it may take; None takes the registry's limit.

        Raises:
            ClientMisused: no tool can be made of it, or there is one of that name; says what to mend.
        """
        signature = spec_of(function, name=name, description=description)
        known = signature.spec.name
        if known in self._tools:
            raise ClientMisused(f"There is a tool {known!r} already; give this one another name=.")
        self._tools[known] = _Tool(
            function=function,
            signature=signature,
            is_async=inspect.iscoroutinefunction(function),
            side_effects=side_effects,
            timeout=self._timeout if timeout is None else _checked(timeout),
        )

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        side_effects: bool = False,
        timeout: float | None = None,
    ) -> Callable[[F], F]: ...

    def tool(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        side_effects: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """Register the function below: `@registry.tool`, or `@registry.tool(side_effects=True)` with what `add` takes.

        Raises:
            ClientMisused: as `add` does.
        """

        def register(one: F) -> F:
            self.add(one, name=name, description=description, side_effects=side_effects, timeout=timeout)
            return one

        return register if function is None else register(function)

    @property
    def names(self) -> tuple[str, ...]:
        """The tools, in the order they were registered in."""
        return tuple(self._tools)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of them, in that order."""
        return tuple(tool.signature.spec for tool in self._tools.values())

    def asks_first(self, name: str) -> bool:
        """Say whether a person must agree before that tool runs; not for one there is not."""
        tool = self._tools.get(name)
        return tool is not None and tool.side_effects

    def include(self, other: Registry) -> None:
        """Take in the tools of another registry, with the limits they have there.

        Raises:
            ClientMisused: there is one of that name already.
        """
        for name, tool in other._tools.items():
            if name in self._tools:
                raise ClientMisused(f"There is a tool {name!r} already; give this one another name=.")
            self._tools[name] = tool

    def exchange(self, function: Callable[..., Any]) -> None:
        """Have another function do what the tool of its name does, with the same arguments."""
        name = function.__name__
        self._tools[name] = replace(self._tools[name], function=function)

    def only(self, names: Iterable[str]) -> Registry:
        """Give some of the tools as a registry of their own; threads are shared.

        Raises:
            BadRequest: there is no tool of that name; names those there are.
        """
        chosen = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in chosen if name not in self._tools]
        if unknown:
            raise BadRequest(f"There is no tool {unknown[0]!r}; {self._named()}.", param="tools")
        some = Registry(timeout=self._timeout, most_characters=self._most_characters)
        some._tools = {name: tool for name, tool in self._tools.items() if name in chosen}
        some._threads = self._threads
        return some

    async def run(self, call: ToolCall) -> ToolResult:
        """Run one call. Whatever goes wrong is a result with an `error`, in words that the model can read.

        It may be cancelled, and raises nothing else.
        """
        began = time.perf_counter()
        error: ToolFailure | None = None
        sources: tuple[Source, ...] = ()
        try:
            content, sources = await self._content(call)
        except _Failed as failed:
            error, content = failed.code, clean(failed.said[:LONGEST_SAID])
        seconds = time.perf_counter() - began
        return ToolResult(
            call_id=call.id, name=call.name, content=content, seconds=seconds, error=error, sources=sources
        )

    async def _content(self, call: ToolCall) -> tuple[str, tuple[Source, ...]]:
        tool = self._tools.get(call.name)
        if tool is None:
            raise _Failed("unknown_tool", f"There is no tool {call.name[:80]!r}; {self._named()}.")
        try:
            values = tool.signature.read(call.arguments)
        except BadArguments as error:
            raise _Failed("bad_arguments", f"{error} Call {call.name} again with arguments that fit.") from None
        except Exception as error:
            raise _told(call.name, error) from error
        try:
            value = await self._value(tool, call.name, values)
            if isinstance(value, Sourced):
                return result_text(value.text, self._most_characters), value.sources
            return result_text(value, self._most_characters), ()
        except _Failed:
            raise
        except NotJson as error:
            raise _Failed("failed", f"The tool failed: its result holds {error}, and must be text or JSON.") from None
        except Exception as error:  # what a model's own serializer raised
            raise _told(call.name, error) from error

    async def _value(self, tool: _Tool, name: str, values: Mapping[str, Any]) -> Any:
        limit = asyncio.timeout(tool.timeout)
        try:
            async with limit:
                return await self._called(tool, name, values)
        except (_Failed, GeneratorExit):
            raise
        except TooManyHang:
            said = "The tool cannot be run now: too many earlier calls that took too long still run. Do without it."
            raise _Failed("failed", said) from None
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise _told(name, error) from error
        except BaseException as error:  # sys.exit() in a tool ends the tool, not the program
            if limit.expired() and isinstance(error, TimeoutError):
                said = f"The tool took longer than {tool.timeout:g} seconds and was given up."
                raise _Failed("timed_out", said) from None
            raise _told(name, error) from error

    async def _called(self, tool: _Tool, name: str, values: Mapping[str, Any]) -> Any:
        if tool.is_async:
            return await tool.function(**values)
        value, error = await self._threads.run(lambda: tool.function(**values))
        if error is not None:
            raise _told(name, error) from error
        return await value if inspect.isawaitable(value) else value

    def _named(self) -> str:
        names = list(self._tools)
        rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return f"the tools are {', '.join(names[:MOST_NAMED])}{rest}" if names else "there are no tools"


def _told(name: str, error: BaseException) -> _Failed:
    """Say what went wrong; an exception's own text may hold a secret and goes to the log alone."""
    if isinstance(error, ToolError):
        return _Failed("failed", str(error))
    _log.warning("The tool %s failed.", name, exc_info=error)
    return _Failed("failed", f"The tool failed: {type(error).__name__}")


def _checked(timeout: float) -> float:
    if not 0 < timeout < math.inf:
        raise ClientMisused(f"The timeout of a tool is {timeout} seconds, and must be a number above zero.")
    return timeout

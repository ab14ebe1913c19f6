"""`ai-chat` and `ai-chat serve`: the page with its API, and the API alone."""

from __future__ import annotations

import asyncio
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp

from ..assembly import House, Services, settle
from ..config import has_display
from ..server.app import Lifespan, create_app
from ..server.presence import Stopping
from ..server.serving import address, listen, serve
from .printing import say
from .process import Interrupts

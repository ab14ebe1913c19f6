"""`/api`: conversations and the runs that answer in them."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api")

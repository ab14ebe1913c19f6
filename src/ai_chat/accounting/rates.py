"""What a model's tokens cost, and what a call costs by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Context, Decimal

from ..core.usage import Cost, Usage

_EXACT = Context(prec=100)
"""Money is added up without rounding: of a count and a price this keeps every digit."""
_MILLION = 6
_UNIT = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Prices of one model, in one currency for a million tokens. None is not known."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    """Of what the upstream read from its cache; None is the price of other input, which is what upstreams without such
    a discount charge."""
    cache_write: Decimal | None = None
    """Of what the upstream put into its cache; None is the price of other input."""
    reasoning: Decimal | None = None
    """None is the price of other output."""
    input_audio: Decimal | None = None
    """None leaves a call with audio unpriced: sound is never sold as text."""
    output_audio: Decimal | None = None
    image: Decimal | None = None
    """Of pictures in the prompt, where the upstream counts them apart; None is the price of other input."""
    request: Decimal | None = None
    """For each call, whatever its tokens; not by the million."""

    @property
    def is_free(self) -> bool:
        """Whether nothing of it costs anything."""
        prices = [price for field in fields(self) if (price := getattr(self, field.name)) is not None]
        return not any(prices) and self.input is not None and self.output is not None

    def cost(self, usage: Usage) -> Cost:
        """Price the tokens of one call, each of them once: cached ones are part of the input, reasoning of the output.

        None is unknown: a price that is needed is not there, the parts are more than the whole, or parts that have a
        price of their own may overlap (cached audio).
        """
        into = self._parts(
            usage.input_tokens,
            self.input,
            (usage.cached_input_tokens, self.cached_input),
            (_prompt_detail(usage, "cache_write_tokens"), self.cache_write),
            audio=(usage.input_audio_tokens, self.input_audio),
            image=(_prompt_detail(usage, "image_tokens"), self.image),
        )
        out = self._parts(
            usage.output_tokens,
            self.output,
            (usage.reasoning_tokens, self.reasoning),
            audio=(usage.output_audio_tokens, self.output_audio),
        )
        if into is None or out is None:
            return None
        total = _EXACT.scaleb(_EXACT.add(into, out), -_MILLION)
        return plain(total if self.request is None else _EXACT.add(total, self.request))

    @staticmethod
    def _parts(
        whole: int,
        price: Decimal | None,
        *kinds: tuple[int | None, Decimal | None],
        audio: tuple[int | None, Decimal | None],
        image: tuple[int | None, Decimal | None] = (None, None),
    ) -> Decimal | None:
        """Price a whole and its parts, in millionths. A part without a price of its own is no part here."""
        apart = [(count, own) for count, own in kinds if count and own is not None]
        contents = [(count, own) for count, own in (audio, image) if count and own is not None]
        if (audio[0] and audio[1] is None) or (apart and contents):
            return None
        rest = whole
        total = Decimal(0)
        for count, own in (*apart, *contents):
            rest -= count
            total = _EXACT.add(total, _EXACT.multiply(own, count))
        if rest < 0 or (rest and price is None):
            return None
        return _EXACT.add(total, _EXACT.multiply(price, rest)) if rest and price is not None else total


FREE = Rates(input=Decimal(0), output=Decimal(0), input_audio=Decimal(0), output_audio=Decimal(0))


def _prompt_detail(usage: Usage, name: str) -> int | None:
    """Give a part of the prompt that only some upstreams count, from the fields that came with the usage."""
    if not usage.extra:
        return None
    details = usage.extra.get("prompt_tokens_details")
    count = details.get(name) if isinstance(details, Mapping) else None
    return count if type(count) is int and count > 0 else None


def plain(money: Decimal) -> Decimal:
    """Take off zeros at the end, and leave it without an exponent."""
    short = money.normalize(_EXACT)
    return short.quantize(_UNIT, context=_EXACT) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]

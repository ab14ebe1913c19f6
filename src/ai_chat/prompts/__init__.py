"""Texts that go in front of a question, as parts that modes put together."""

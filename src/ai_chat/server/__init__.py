"""The API over HTTP: `/v1` as OpenAI has it, `/api` for conversations, and the page mounted beside them."""

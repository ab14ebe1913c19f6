"""How the database came to its tables, step by step. Alembic runs these files; nothing imports them."""
